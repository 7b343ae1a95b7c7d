#include "bridge.h"

#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#ifdef __GLIBC__
// Records are allocated by the threads that produce and freed by librdkafka's:
// with an arena for each thread, what is freed in one does not serve another, and
// a process holds several times what it uses; with a single one, the threads wait
// for each other. The limit has to be set before the first thread:
// MALLOC_ARENA_MAX chooses another one.
__attribute__((constructor)) static void limit_arenas(void) {
	if (!getenv("MALLOC_ARENA_MAX")) mallopt(M_ARENA_MAX, 4);
}
#endif

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
	(void)rk;
	wf_errors *e = &((wf_client *)opaque)->errors;
	// Written by the one thread that polls; read by the same thread after the poll.
	e->code = code;
	strncpy(e->text, reason ? reason : "", sizeof(e->text) - 1);
	e->text[sizeof(e->text) - 1] = 0;
	e->generation++;
}

static void complete(wf_client *c, wf_batch *b) {
	wf_batch *head = __atomic_load_n(&c->done, __ATOMIC_RELAXED);
	do {
		b->next = head;
	} while (!__atomic_compare_exchange_n(&c->done, &head, b, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static void settle(wf_client *c, wf_batch *b, int32_t n) {
	if (__atomic_sub_fetch(&b->pending, n, __ATOMIC_ACQ_REL) == 0) complete(c, b);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque) {
	(void)rk;
	wf_slot *s = m->opaque;
	wf_batch *b = s->batch;
	int32_t *partitions = rd_kafka_topic_opaque(m->rkt);
	if (m->partition >= *partitions) *partitions = m->partition + 1;
	if (m->err) {
		s->err = m->err;
		__atomic_add_fetch(&b->failed, 1, __ATOMIC_RELAXED);
	}
	settle(opaque, b, 1);
}

wf_client *wf_client_new(int type, rd_kafka_conf_t *conf, char *err, size_t n) {
	wf_client *c = calloc(1, sizeof *c);
	rd_kafka_conf_set_opaque(conf, c);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, NULL);
	if (type == 0) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	c->rk = rd_kafka_new(type, conf, err, n);
	if (!c->rk) {
		rd_kafka_conf_destroy(conf);
		free(c);
		return NULL;
	}
	if (type == 1) {
		rd_kafka_poll_set_consumer(c->rk);
		c->queue = rd_kafka_queue_get_consumer(c->rk);
	}
	return c;
}

void wf_client_destroy(wf_client *c) {
	if (c->queue) {
		rd_kafka_consumer_close(c->rk);
		rd_kafka_queue_destroy(c->queue);
	}
	if (c->held) rd_kafka_topic_partition_list_destroy(c->held);
	rd_kafka_destroy_flags(c->rk, 0);
	for (wf_batch *b = c->done; b;) {
		wf_batch *next = b->next;
		free(b);
		b = next;
	}
	free(c);
}

int64_t wf_errors_take(wf_client *c, int *code, char *text, size_t n) {
	*code = c->errors.code;
	strncpy(text, c->errors.text, n - 1);
	text[n - 1] = 0;
	return c->errors.generation;
}

wf_batch *wf_batch_new(uint64_t id, int32_t n) {
	wf_batch *b = calloc(1, sizeof(wf_batch) + (size_t)n * sizeof(wf_slot));
	b->id = id;
	b->total = n;
	b->pending = n + 1; // one for the producing side, until it has handed over all
	for (int32_t i = 0; i < n; i++) b->slots[i].batch = b;
	return b;
}

static rd_kafka_headers_t *headers_of(const char *p, int32_t n) {
	rd_kafka_headers_t *h = rd_kafka_headers_new((size_t)n);
	for (int32_t i = 0; i < n; i++) {
		uint32_t name_len;
		int32_t val_len;
		memcpy(&name_len, p, 4);
		const char *name = p + 4;
		p = name + name_len + 1;
		memcpy(&val_len, p, 4);
		p += 4;
		rd_kafka_header_add(h, name, name_len, val_len < 0 ? NULL : p, val_len < 0 ? 0 : val_len);
		if (val_len > 0) p += val_len;
	}
	return h;
}

static int produce_one(wf_client *c, rd_kafka_topic_t *rkt, wf_slot *slot, const char *buf, const wf_record *r) {
	rd_kafka_vu_t vu[8];
	size_t k = 0;
	vu[k].vtype = WF_V_RKT, vu[k++].u.rkt = rkt;
	vu[k].vtype = WF_V_PARTITION, vu[k++].u.i32 = r->partition;
	vu[k].vtype = WF_V_MSGFLAGS, vu[k++].u.i = WF_MSG_F_COPY;
	vu[k].vtype = WF_V_OPAQUE, vu[k++].u.ptr = slot;
	if (r->val_len >= 0) vu[k].vtype = WF_V_VALUE, vu[k].u.mem.ptr = buf + r->val_off, vu[k++].u.mem.size = (size_t)r->val_len;
	if (r->key_len >= 0) vu[k].vtype = WF_V_KEY, vu[k].u.mem.ptr = buf + r->key_off, vu[k++].u.mem.size = (size_t)r->key_len;
	if (r->timestamp) vu[k].vtype = WF_V_TIMESTAMP, vu[k++].u.i64 = r->timestamp;
	rd_kafka_headers_t *h = NULL;
	if (r->headers > 0) {
		h = headers_of(buf + r->hdr_off, r->headers);
		vu[k].vtype = WF_V_HEADERS, vu[k++].u.headers = h;
	}
	rd_kafka_error_t *e = rd_kafka_produceva(c->rk, vu, k);
	if (!e) return 0;
	int code = rd_kafka_error_code(e);
	rd_kafka_error_destroy(e);
	if (h) rd_kafka_headers_destroy(h); // librdkafka takes them over on success only
	return code;
}

int32_t wf_produce(wf_client *c, rd_kafka_topic_t *rkt, wf_batch *b, const char *buf, const wf_record *records, int32_t from) {
	for (int32_t i = from; i < b->total; i++) {
		int err = produce_one(c, rkt, &b->slots[i], buf, &records[i]);
		if (err == WF_ERR_QUEUE_FULL) return i;
		if (err) {
			b->slots[i].err = err;
			__atomic_add_fetch(&b->failed, 1, __ATOMIC_RELAXED);
			settle(c, b, 1);
		}
	}
	return b->total;
}

void wf_release(wf_client *c, wf_batch *b) { settle(c, b, 1); }

void wf_fail(wf_client *c, wf_batch *b, int32_t from, int err) {
	int32_t n = b->total - from;
	for (int32_t i = from; i < b->total; i++) b->slots[i].err = err;
	__atomic_add_fetch(&b->failed, n, __ATOMIC_RELAXED);
	settle(c, b, n + 1);
}

wf_batch *wf_done(wf_client *c) {
	wf_batch *b = __atomic_exchange_n(&c->done, NULL, __ATOMIC_ACQUIRE), *out = NULL;
	while (b) { // the stack is youngest first: turn it round
		wf_batch *next = b->next;
		b->next = out;
		out = b;
		b = next;
	}
	return out;
}

rd_kafka_topic_t *wf_topic_new(wf_client *c, const char *name) {
	rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(c->rk);
	int32_t *partitions = calloc(1, sizeof *partitions);
	rd_kafka_topic_conf_set_opaque(conf, partitions);
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(c->rk, name, conf);
	if (!rkt) {
		rd_kafka_topic_conf_destroy(conf);
		free(partitions);
	}
	return rkt;
}

void wf_topic_destroy(rd_kafka_topic_t *rkt) {
	free(rd_kafka_topic_opaque(rkt));
	rd_kafka_topic_destroy(rkt);
}

void wf_hold(wf_client *c, rd_kafka_topic_t **topics, size_t n) {
	c->held = rd_kafka_topic_partition_list_new(8);
	for (size_t i = 0; i < n; i++) {
		int32_t partitions = *(int32_t *)rd_kafka_topic_opaque(topics[i]);
		for (int32_t k = 0; k < partitions; k++) rd_kafka_topic_partition_list_add(c->held, rd_kafka_topic_name(topics[i]), k);
	}
	rd_kafka_pause_partitions(c->rk, c->held);
}

void wf_let_go(wf_client *c) {
	rd_kafka_resume_partitions(c->rk, c->held);
	rd_kafka_topic_partition_list_destroy(c->held);
	c->held = NULL;
	rd_kafka_flush(c->rk, 0); // wakes the threads that send, and does not wait
}

ssize_t wf_consume(wf_client *c, int timeout_ms, const char *header, rd_kafka_message_t **m, wf_view *v, size_t n) {
	// A batch call waits until the batch is full or the time is over: so wait
	// for the first message only, then take what is there.
	ssize_t k = rd_kafka_consume_batch_queue(c->queue, timeout_ms, m, 1);
	if (k <= 0) return k;
	if (n > 1) {
		ssize_t more = rd_kafka_consume_batch_queue(c->queue, 0, m + 1, n - 1);
		if (more > 0) k += more;
	}
	for (ssize_t i = 0; i < k; i++) {
		rd_kafka_message_t *x = m[i];
		wf_view *w = &v[i];
		w->err = x->err;
		w->val = x->payload, w->val_len = x->payload ? (int32_t)x->len : -1;
		w->key = x->key, w->key_len = x->key ? (int32_t)x->key_len : -1;
		w->rkt = x->rkt, w->partition = x->partition, w->offset = x->offset;
		w->timestamp = rd_kafka_message_timestamp(x, &w->timestamp_type);
		w->hdr = NULL, w->hdr_len = -1;
		rd_kafka_headers_t *h;
		size_t len;
		if (header && !x->err && rd_kafka_message_headers(x, &h) == 0 && rd_kafka_header_get_last(h, header, &w->hdr, &len) == 0)
			w->hdr_len = (int32_t)len;
	}
	return k;
}

void wf_consume_release(rd_kafka_message_t **m, size_t n) {
	for (size_t i = 0; i < n; i++) rd_kafka_message_destroy(m[i]);
}
