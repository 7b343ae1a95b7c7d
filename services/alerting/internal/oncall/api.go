package oncall

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
)

const (
	// ahead is how far shifts are listed where no end is asked for, farthest how far at most.
	ahead, farthest = 28 * 24 * time.Hour, 92 * 24 * time.Hour
	// around is how far the shift of who is on call is looked for.
	around = 31 * 24 * time.Hour
)

// Server answers OnCallService.
type Server struct {
	alertv1.UnimplementedOnCallServiceServer
	Book *Book
}

func (s Server) ready() error {
	if !s.Book.Ready() {
		return status.Error(codes.Unavailable, "people and rotas have not been read from Kafka yet")
	}
	return nil
}

// done makes the answer of a call.
func done[M any](m M, err error) (M, error) {
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, ErrNotFound):
		err = status.Error(codes.NotFound, err.Error())
	case errors.Is(err, ErrInput):
		err = status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, ErrUsed):
		err = status.Error(codes.FailedPrecondition, err.Error())
	default:
		err = status.Error(codes.Unavailable, err.Error())
	}
	var none M
	return none, err
}

// PutPerson keeps a person.
func (s Server) PutPerson(ctx context.Context, req *alertv1.PutPersonRequest) (*alertv1.PutPersonResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	p, err := s.Book.PutPerson(ctx, req.GetPerson())
	return done(&alertv1.PutPersonResponse{Person: p}, err)
}

// GetPerson returns a person.
func (s Server) GetPerson(_ context.Context, req *alertv1.GetPersonRequest) (*alertv1.GetPersonResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	p, err := s.Book.Person(req.GetName())
	return done(&alertv1.GetPersonResponse{Person: p}, err)
}

// ListPeople returns all.
func (s Server) ListPeople(context.Context, *alertv1.ListPeopleRequest) (*alertv1.ListPeopleResponse, error) {
	return &alertv1.ListPeopleResponse{People: s.Book.People()}, s.ready()
}

// DeletePerson forgets a person.
func (s Server) DeletePerson(ctx context.Context, req *alertv1.DeletePersonRequest) (*alertv1.DeletePersonResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return done(&alertv1.DeletePersonResponse{}, s.Book.DeletePerson(ctx, req.GetName()))
}

// PutRota keeps a rota.
func (s Server) PutRota(ctx context.Context, req *alertv1.PutRotaRequest) (*alertv1.PutRotaResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	r, err := s.Book.PutRota(ctx, req.GetRota())
	return done(&alertv1.PutRotaResponse{Rota: r}, err)
}

// GetRota returns a rota.
func (s Server) GetRota(_ context.Context, req *alertv1.GetRotaRequest) (*alertv1.GetRotaResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	r, err := s.Book.Rota(req.GetName())
	return done(&alertv1.GetRotaResponse{Rota: r}, err)
}

// ListRotas returns all.
func (s Server) ListRotas(context.Context, *alertv1.ListRotasRequest) (*alertv1.ListRotasResponse, error) {
	return &alertv1.ListRotasResponse{Rotas: s.Book.Rotas()}, s.ready()
}

// DeleteRota forgets a rota.
func (s Server) DeleteRota(ctx context.Context, req *alertv1.DeleteRotaRequest) (*alertv1.DeleteRotaResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return done(&alertv1.DeleteRotaResponse{}, s.Book.DeleteRota(ctx, req.GetName()))
}

// AddOverride has another person be on call for some time.
func (s Server) AddOverride(ctx context.Context, req *alertv1.AddOverrideRequest) (*alertv1.AddOverrideResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	o, err := s.Book.AddOverride(ctx, req.GetRota(), req.GetOverride())
	return done(&alertv1.AddOverrideResponse{Override: o}, err)
}

// DeleteOverride takes an override back.
func (s Server) DeleteOverride(ctx context.Context, req *alertv1.DeleteOverrideRequest) (*alertv1.DeleteOverrideResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return done(&alertv1.DeleteOverrideResponse{}, s.Book.DeleteOverride(ctx, req.GetRota(), req.GetId()))
}

// GetOnCall says who is on call.
func (s Server) GetOnCall(_ context.Context, req *alertv1.GetOnCallRequest) (*alertv1.GetOnCallResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	at := or(req.GetAt(), s.Book.now())
	rotas := s.Book.Rotas()
	if req.GetRota() != "" {
		r, err := s.Book.Rota(req.GetRota())
		if err != nil {
			return done[*alertv1.GetOnCallResponse](nil, err)
		}
		rotas = []*alertv1.Rota{r}
	}
	res := &alertv1.GetOnCallResponse{}
	for _, r := range rotas {
		sched, err := NewSchedule(r)
		if err != nil {
			return done[*alertv1.GetOnCallResponse](nil, err)
		}
		o := &alertv1.OnCall{Rota: r.GetName(), Shift: sched.Shift(at, around)}
		if name := o.GetShift().GetPerson(); name != "" {
			if o.Person, err = s.Book.Person(name); err != nil {
				o.Person = &alertv1.Person{Name: name}
			}
		}
		res.OnCall = append(res.OnCall, o)
	}
	return res, nil
}

// ListShifts says who is on call when.
func (s Server) ListShifts(_ context.Context, req *alertv1.ListShiftsRequest) (*alertv1.ListShiftsResponse, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	from := or(req.GetFrom(), s.Book.now())
	to := or(req.GetTo(), from.Add(ahead))
	if !from.Before(to) || to.Sub(from) > farthest {
		return nil, status.Error(codes.InvalidArgument, "to must be after from, by 92 days at most")
	}
	r, err := s.Book.Rota(req.GetRota())
	if err != nil {
		return done[*alertv1.ListShiftsResponse](nil, err)
	}
	sched, err := NewSchedule(r)
	if err != nil {
		return done[*alertv1.ListShiftsResponse](nil, err)
	}
	all, more := sched.Shifts(from, to)
	return &alertv1.ListShiftsResponse{Shifts: all, Truncated: more}, nil
}

func or(t *timestamppb.Timestamp, other time.Time) time.Time {
	if t == nil {
		return other
	}
	return t.AsTime()
}
