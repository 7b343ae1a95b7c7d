// Command walk goes the way of an event: it sends three lines, lists what is in their
// topic, makes a job of them, and follows what the job writes.
//
//	WEIRFLOW=127.0.0.1:8081 WEIRFLOW_TOKEN=wf_… go run ./sdk/go/examples/walk
//
// WEIRFLOW is the address of a gateway's gRPC port; BROKERS (127.0.0.1:9092) is the
// Kafka that the job reads and writes.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"google.golang.org/grpc"

	jobv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/job/v1"
	topicv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/topic/v1"
	sdk "github.com/weirflow/weirflow/proto/sdk/go"
)

const (
	from = "walk-lines"
	to   = "walk-errors"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "walk:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	conn, err := sdk.Dial(cmp.Or(os.Getenv("WEIRFLOW"), "127.0.0.1:8081"), sdk.Options{Token: os.Getenv("WEIRFLOW_TOKEN")})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := send(ctx, conn); err != nil {
		return err
	}
	if err := list(ctx, conn, out); err != nil {
		return err
	}
	if err := job(ctx, conn, cmp.Or(os.Getenv("BROKERS"), "127.0.0.1:9092")); err != nil {
		return err
	}
	return follow(ctx, conn, out)
}

// send writes lines, and returns when Kafka holds them.
func send(ctx context.Context, conn *grpc.ClientConn) error {
	w := sdk.NewWriter(conn, sdk.Source{Topic: from, Agent: "walk", Path: "/var/log/walk.log"})
	return w.Lines(ctx, "INFO it begins", "ERROR the disk is full", "INFO it ends")
}

// list prints the last messages of a topic.
func list(ctx context.Context, conn *grpc.ClientConn, out io.Writer) error {
	res, err := topicv1.NewMessageServiceClient(conn).ListMessages(ctx, &topicv1.ListMessagesRequest{Topic: from, PageSize: 3})
	if err != nil {
		return err
	}
	for _, m := range res.GetMessages() {
		fmt.Fprintf(out, "%s %d/%d %s\n", from, m.GetPartition(), m.GetOffset(), m.GetText())
	}
	return nil
}

// job keeps the lines with ERROR, in a topic of their own.
func job(ctx context.Context, conn *grpc.ClientConn, brokers string) error {
	table := "CREATE TABLE %s (message STRING) WITH ('connector' = 'kafka', 'topic' = '%s', 'properties.bootstrap.servers' = '%s', 'format' = 'json'%s);\n"
	sql := fmt.Sprintf(table, "lines", from, brokers, ", 'scan.startup.mode' = 'earliest-offset', 'json.ignore-parse-errors' = 'true'") +
		fmt.Sprintf(table, "errors", to, brokers, "") +
		"INSERT INTO errors SELECT message FROM lines WHERE message LIKE 'ERROR%';"
	topics := topicv1.NewTopicServiceClient(conn)
	if _, err := topics.GetTopic(ctx, &topicv1.GetTopicRequest{Topic: to}); err != nil {
		if _, err := topics.CreateTopic(ctx, &topicv1.CreateTopicRequest{Topic: to}); err != nil {
			return err
		}
	}
	_, err := jobv1.NewJobServiceClient(conn).CreateJob(ctx, &jobv1.CreateJobRequest{Name: "walk", Sql: sql, Start: true, Replace: true})
	return err
}

// follow prints the first message that the job has written or writes.
func follow(ctx context.Context, conn *grpc.ClientConn, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := topicv1.NewMessageServiceClient(conn).FollowMessages(ctx, &topicv1.FollowMessagesRequest{Topic: to, Start: &topicv1.Start{At: &topicv1.Start_Earliest{Earliest: true}}})
	if err != nil {
		return err
	}
	for {
		res, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, m := range res.GetMessages() {
			fmt.Fprintf(out, "%s %d/%d %s\n", to, m.GetPartition(), m.GetOffset(), m.GetText())
			return nil
		}
	}
}
