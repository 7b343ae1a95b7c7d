package kafka

/*
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"unsafe"

	// The import links the static librdkafka that the declarations in librdkafka.h name.
	_ "github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

const (
	typeProducer = 0
	typeConsumer = 1
)

// newClient makes a librdkafka handle from properties.
func newClient(kind int, props map[string]string) (*C.wf_client, error) {
	conf := C.rd_kafka_conf_new()
	const size = 512
	text := (*C.char)(C.malloc(size))
	defer C.free(unsafe.Pointer(text))
	keys := make([]string, 0, len(props))
	for k := range props {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		ck, cv := C.CString(k), C.CString(props[k])
		code := C.rd_kafka_conf_set(conf, ck, cv, text, size)
		C.free(unsafe.Pointer(ck))
		C.free(unsafe.Pointer(cv))
		if code != 0 {
			C.rd_kafka_conf_destroy(conf)
			return nil, fmt.Errorf("set kafka property %q: %s", k, C.GoString(text))
		}
	}
	c := C.wf_client_new(C.int(kind), conf, text, size)
	if c == nil {
		return nil, fmt.Errorf("create kafka client: %s", C.GoString(text))
	}
	return c, nil
}

func errorOf(code C.int) error {
	if code == 0 {
		return nil
	}
	return &Error{Code: int(code), Reason: C.GoString(C.rd_kafka_err2str(code))}
}

// takeError frees a librdkafka error object.
func takeError(e *C.rd_kafka_error_t) error {
	if e == nil {
		return nil
	}
	code := C.rd_kafka_error_code(e)
	C.rd_kafka_error_destroy(e)
	return errorOf(code)
}

// outage tells once that the cluster can't be reached, and once that it can again.
type outage struct {
	log  *slog.Logger
	seen C.int64_t // of the goroutine that polls
	down atomic.Bool
}

func (o *outage) check(c *C.wf_client) {
	if c.errors.generation == o.seen {
		return
	}
	var code C.int
	var text [256]C.char
	o.seen = C.wf_errors_take(c, &code, &text[0], C.size_t(len(text)))
	if o.down.Swap(true) {
		return
	}
	o.log.Warn("kafka reports an error; trying on", "error", C.GoString(&text[0]), "code", int(code))
}

func (o *outage) over() {
	if o.down.Load() && o.down.Swap(false) {
		o.log.Info("kafka answers again")
	}
}
