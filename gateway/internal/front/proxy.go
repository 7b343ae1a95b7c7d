package front

import (
	"context"
	"errors"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// proxy passes calls on. It knows the messages of all services, and reads them: what a
// call says about its caller is looked at on the way.
type proxy struct{ d Deps }

// method is a call as its proto describes it.
type method struct {
	name     string
	in, out  protoreflect.MessageType
	requests bool // a stream of them comes
	answers  bool // a stream of them goes
}

// find describes a method such as "/weirflow.job.v1.JobService/GetJob".
func find(name string) (service string, _ method, _ error) {
	unknown := status.Errorf(codes.Unimplemented, "there is no call %s", name)
	service, short, ok := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if !ok {
		return "", method{}, unknown
	}
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return "", method{}, unknown
	}
	s, ok := d.(protoreflect.ServiceDescriptor)
	if !ok {
		return "", method{}, unknown
	}
	m := s.Methods().ByName(protoreflect.Name(short))
	if m == nil {
		return "", method{}, unknown
	}
	in, inErr := protoregistry.GlobalTypes.FindMessageByName(m.Input().FullName())
	out, outErr := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	if errors.Join(inErr, outErr) != nil {
		return "", method{}, unknown
	}
	return service, method{name, in, out, m.IsStreamingClient(), m.IsStreamingServer()}, nil
}

// pass answers a call of a service that is elsewhere.
func (p proxy) pass(_ any, stream grpc.ServerStream) error {
	name, _ := grpc.MethodFromServerStream(stream)
	service, m, err := find(name)
	if err != nil {
		return err
	}
	to := p.d.Backend(service)
	if to == nil {
		return status.Errorf(codes.Unimplemented, "%s is not to be called over gRPC here", name)
	}
	if m.requests || m.answers {
		return m.stream(to, stream)
	}
	req, res := m.in.New().Interface(), m.out.New().Interface()
	if err := stream.RecvMsg(req); err != nil {
		return err
	}
	if err := to.Invoke(stream.Context(), m.name, req, res); err != nil {
		return err
	}
	return stream.SendMsg(res)
}

// stream passes requests and answers on as they come. Neither side is read faster than
// the other takes it.
func (m method) stream(to grpc.ClientConnInterface, stream grpc.ServerStream) error {
	var first proto.Message
	if !m.requests { // it is known before anything is begun
		first = m.in.New().Interface()
		if err := stream.RecvMsg(first); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	there, err := to.NewStream(ctx, &grpc.StreamDesc{ServerStreams: m.answers, ClientStreams: m.requests}, m.name)
	if err != nil {
		return err
	}
	if m.requests {
		go func() {
			if m.forward(stream, there) != nil {
				cancel() // who asks is gone
			}
		}()
	} else {
		if err := there.SendMsg(first); err != nil && !errors.Is(err, io.EOF) { // the answer says what is wrong
			return err
		}
		if err := there.CloseSend(); err != nil {
			return err
		}
	}
	for {
		res := m.out.New().Interface()
		switch err := there.RecvMsg(res); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := stream.SendMsg(res); err != nil {
			return err
		}
		if !m.answers {
			return nil
		}
	}
}

// forward passes requests on until they end. What the other side has against one is its
// answer's to say.
func (m method) forward(from grpc.ServerStream, to grpc.ClientStream) error {
	for {
		req := m.in.New().Interface()
		switch err := from.RecvMsg(req); {
		case errors.Is(err, io.EOF):
			return to.CloseSend()
		case err != nil:
			return err
		}
		if to.SendMsg(req) != nil {
			return nil
		}
	}
}
