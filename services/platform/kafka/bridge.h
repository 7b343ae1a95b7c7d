// The C half of the batch layer: what would otherwise be one call from Go per
// record is one per batch.
#ifndef WEIRFLOW_BRIDGE_H
#define WEIRFLOW_BRIDGE_H

#include "librdkafka.h"

// wf_errors keeps the last error that librdkafka reported of a client.
typedef struct {
	int64_t generation; // grows with each report
	int code;
	char text[256];
} wf_errors;

// wf_client is the opaque of a librdkafka handle.
typedef struct wf_client {
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue; // consumers only
	wf_errors errors;
	struct wf_batch *done; // stack of completed batches, producers only
	rd_kafka_topic_partition_list_t *held; // partitions that are paused, producers only
} wf_client;

// wf_record is a record of a batch to produce: spans in one buffer. A length
// of -1 is null.
typedef struct {
	uint32_t key_off, val_off, hdr_off;
	int32_t key_len, val_len;
	int32_t headers; // how many, serialised at hdr_off as u32 length, name, NUL, i32 length, value
	int32_t partition;
	int64_t timestamp; // milliseconds, 0: now
} wf_record;

struct wf_batch;
typedef struct {
	struct wf_batch *batch;
	int err;
} wf_slot;

// wf_batch follows the records of one call until each is delivered or failed.
typedef struct wf_batch {
	struct wf_batch *next;
	uint64_t id;
	int32_t total, failed, pending;
	wf_slot slots[];
} wf_batch;

// wf_view is a consumed record, in librdkafka's memory.
typedef struct {
	const void *val, *key, *hdr;
	const rd_kafka_topic_t *rkt;
	int64_t offset, timestamp;
	int32_t val_len, key_len, hdr_len; // -1: null or absent
	int32_t partition;
	int32_t err;
	int32_t timestamp_type;
} wf_view;

wf_client *wf_client_new(int type, rd_kafka_conf_t *conf, char *err, size_t n);
void wf_client_destroy(wf_client *c);
int64_t wf_errors_take(wf_client *c, int *code, char *text, size_t n);

wf_batch *wf_batch_new(uint64_t id, int32_t n);
// wf_produce hands over records[from:total] and returns the index behind the
// last one that was taken; fewer than total when librdkafka's queue is full.
int32_t wf_produce(wf_client *c, rd_kafka_topic_t *rkt, wf_batch *b, const char *buf, const wf_record *records, int32_t from);
// wf_release takes back the reference that the producing side holds.
void wf_release(wf_client *c, wf_batch *b);
// wf_fail marks the records from index on as failed with err and releases.
void wf_fail(wf_client *c, wf_batch *b, int32_t from, int err);
wf_batch *wf_done(wf_client *c);
// wf_topic_new opens a topic to produce to; NULL if kafka allows no such name. The
// space that it takes is freed with wf_topic_destroy.
rd_kafka_topic_t *wf_topic_new(wf_client *c, const char *name);
void wf_topic_destroy(rd_kafka_topic_t *rkt);
// wf_hold pauses those partitions of n topics that have answered before: nothing
// more of them is sent.
void wf_hold(wf_client *c, rd_kafka_topic_t **topics, size_t n);
// wf_let_go has the partitions that are held go on at once.
void wf_let_go(wf_client *c);

ssize_t wf_consume(wf_client *c, int timeout_ms, const char *header, rd_kafka_message_t **m, wf_view *v, size_t n);
void wf_consume_release(rd_kafka_message_t **m, size_t n);

#endif
