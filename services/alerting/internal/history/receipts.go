package history

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	alertv1 "github.com/weirflow/weirflow/proto/gen/go/weirflow/alert/v1"
	"github.com/weirflow/weirflow/services/platform/kafka"
)

const (
	// ReceiptsTopic is the topic of what providers said of text messages and calls.
	ReceiptsTopic = "weirflow.delivery-receipts"
	// keepTimeout bounds the writing of one.
	keepTimeout = 5 * time.Second
)

// receipts are what providers said, by provider and id. History's lock guards them.
type receipts struct {
	by    map[[2]string]*alertv1.DeliveryReceipt
	order [][2]string // the oldest first
}

func newReceipts() receipts { return receipts{by: make(map[[2]string]*alertv1.DeliveryReceipt)} }

// take takes in a record. What is final is not taken back: words may come out of order.
func (s *receipts) take(value []byte) {
	r := &alertv1.DeliveryReceipt{}
	if err := proto.Unmarshal(value, r); err != nil {
		return
	}
	key := [2]string{r.GetProvider(), r.GetId()}
	old, ok := s.by[key]
	if ok && final(old.GetState()) && !final(r.GetState()) {
		return
	}
	s.by[key] = r
	if ok {
		return
	}
	s.order = append(s.order, key)
	if over := len(s.order) - remembered; over > remembered/10 {
		for _, k := range s.order[:over] {
			delete(s.by, k)
		}
		s.order = append([][2]string(nil), s.order[over:]...)
	}
}

func final(s alertv1.RecipientState) bool {
	return s == alertv1.RecipientState_RECIPIENT_STATE_DELIVERED || s == alertv1.RecipientState_RECIPIENT_STATE_UNDELIVERED
}

// known is a delivery with what providers have said of it since.
func (s *receipts) known(d *alertv1.Delivery) *alertv1.Delivery {
	var out *alertv1.Delivery
	for i, r := range d.GetRecipients() {
		said := s.by[[2]string{r.GetProvider(), r.GetId()}]
		if said == nil {
			continue
		}
		if out == nil {
			out, _ = proto.Clone(d).(*alertv1.Delivery)
		}
		out.Recipients[i].State, out.Recipients[i].Detail, out.Recipients[i].UpdatedAt = said.GetState(), said.GetDetail(), said.GetAt()
	}
	if out == nil {
		return d
	}
	return out
}

// Note keeps what a provider said. It is in Kafka when it returns.
func (h *History) Note(r *alertv1.DeliveryReceipt) error {
	value, err := proto.Marshal(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepTimeout)
	defer cancel()
	var records kafka.Records
	records.Append(0, []byte(r.GetProvider()+"/"+r.GetId()), value)
	done := make(chan error, 1)
	err = h.producer.Produce(ctx, ReceiptsTopic, &records, func(err error, _ []kafka.Failure) { done <- err })
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
