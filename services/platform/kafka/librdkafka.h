// Declarations of the few librdkafka functions that the batch layer calls. The
// library itself is the static archive that confluent-kafka-go brings; the
// types and values follow its rdkafka.h (v2.11) and are part of its stable ABI.
#ifndef WEIRFLOW_LIBRDKAFKA_H
#define WEIRFLOW_LIBRDKAFKA_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_conf_s rd_kafka_conf_t;
typedef struct rd_kafka_queue_s rd_kafka_queue_t;
typedef struct rd_kafka_topic_s rd_kafka_topic_t;
typedef struct rd_kafka_topic_conf_s rd_kafka_topic_conf_t;
typedef struct rd_kafka_headers_s rd_kafka_headers_t;
typedef struct rd_kafka_error_s rd_kafka_error_t;

typedef struct {
	int err;
	rd_kafka_topic_t *rkt;
	int32_t partition;
	void *payload;
	size_t len;
	void *key;
	size_t key_len;
	int64_t offset;
	void *opaque;
} rd_kafka_message_t;

typedef struct {
	char *topic;
	int32_t partition;
	int64_t offset;
	void *metadata;
	size_t metadata_size;
	void *opaque;
	int err;
	void *internal;
} rd_kafka_topic_partition_t;

typedef struct {
	int cnt;
	int size;
	rd_kafka_topic_partition_t *elems;
} rd_kafka_topic_partition_list_t;

enum { WF_V_RKT = 2, WF_V_PARTITION, WF_V_VALUE, WF_V_KEY, WF_V_OPAQUE, WF_V_MSGFLAGS, WF_V_TIMESTAMP, WF_V_HEADER, WF_V_HEADERS };
enum { WF_MSG_F_COPY = 0x2 };
enum { WF_ERR_FAIL = -196, WF_ERR_QUEUE_FULL = -184, WF_ERR_PARTITION_EOF = -191 };

typedef struct {
	int vtype;
	union {
		rd_kafka_topic_t *rkt;
		int i;
		int32_t i32;
		int64_t i64;
		struct { const void *ptr; size_t size; } mem;
		rd_kafka_headers_t *headers;
		void *ptr;
		char pad[64];
	} u;
} rd_kafka_vu_t;

rd_kafka_conf_t *rd_kafka_conf_new(void);
void rd_kafka_conf_destroy(rd_kafka_conf_t *);
int rd_kafka_conf_set(rd_kafka_conf_t *, const char *, const char *, char *, size_t);
void rd_kafka_conf_set_opaque(rd_kafka_conf_t *, void *);
void rd_kafka_conf_set_dr_msg_cb(rd_kafka_conf_t *, void (*)(rd_kafka_t *, const rd_kafka_message_t *, void *));
void rd_kafka_conf_set_error_cb(rd_kafka_conf_t *, void (*)(rd_kafka_t *, int, const char *, void *));
void rd_kafka_conf_set_log_cb(rd_kafka_conf_t *, void (*)(const rd_kafka_t *, int, const char *, const char *));
rd_kafka_t *rd_kafka_new(int, rd_kafka_conf_t *, char *, size_t);
void rd_kafka_destroy_flags(rd_kafka_t *, int);
int rd_kafka_poll(rd_kafka_t *, int);
int rd_kafka_flush(rd_kafka_t *, int);
int rd_kafka_purge(rd_kafka_t *, int);
const char *rd_kafka_err2str(int);
int rd_kafka_error_code(const rd_kafka_error_t *);
int rd_kafka_error_is_retriable(const rd_kafka_error_t *);
const char *rd_kafka_error_string(const rd_kafka_error_t *);
void rd_kafka_error_destroy(rd_kafka_error_t *);
rd_kafka_error_t *rd_kafka_init_transactions(rd_kafka_t *, int);
rd_kafka_error_t *rd_kafka_begin_transaction(rd_kafka_t *);
rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *, int);
rd_kafka_error_t *rd_kafka_abort_transaction(rd_kafka_t *, int);
int rd_kafka_fatal_error(rd_kafka_t *, char *, size_t);

rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *, const char *, rd_kafka_topic_conf_t *);
void rd_kafka_topic_destroy(rd_kafka_topic_t *);
void *rd_kafka_topic_opaque(const rd_kafka_topic_t *);
rd_kafka_topic_conf_t *rd_kafka_default_topic_conf_dup(rd_kafka_t *);
void rd_kafka_topic_conf_set_opaque(rd_kafka_topic_conf_t *, void *);
void rd_kafka_topic_conf_destroy(rd_kafka_topic_conf_t *);
const char *rd_kafka_topic_name(const rd_kafka_topic_t *);
rd_kafka_error_t *rd_kafka_produceva(rd_kafka_t *, const rd_kafka_vu_t *, size_t);
rd_kafka_headers_t *rd_kafka_headers_new(size_t);
void rd_kafka_headers_destroy(rd_kafka_headers_t *);
int rd_kafka_header_add(rd_kafka_headers_t *, const char *, ssize_t, const void *, ssize_t);
int rd_kafka_header_get_last(const rd_kafka_headers_t *, const char *, const void **, size_t *);
int rd_kafka_header_get_all(const rd_kafka_headers_t *, size_t, const char **, const void **, size_t *);

int rd_kafka_poll_set_consumer(rd_kafka_t *);
rd_kafka_queue_t *rd_kafka_queue_get_consumer(rd_kafka_t *);
void rd_kafka_queue_destroy(rd_kafka_queue_t *);
ssize_t rd_kafka_consume_batch_queue(rd_kafka_queue_t *, int, rd_kafka_message_t **, size_t);
void rd_kafka_message_destroy(rd_kafka_message_t *);
int64_t rd_kafka_message_timestamp(const rd_kafka_message_t *, int *);
int rd_kafka_message_headers(const rd_kafka_message_t *, rd_kafka_headers_t **);

rd_kafka_topic_partition_list_t *rd_kafka_topic_partition_list_new(int);
void rd_kafka_topic_partition_list_destroy(rd_kafka_topic_partition_list_t *);
rd_kafka_topic_partition_t *rd_kafka_topic_partition_list_add(rd_kafka_topic_partition_list_t *, const char *, int32_t);
int rd_kafka_assign(rd_kafka_t *, const rd_kafka_topic_partition_list_t *);
rd_kafka_error_t *rd_kafka_incremental_assign(rd_kafka_t *, const rd_kafka_topic_partition_list_t *);
rd_kafka_error_t *rd_kafka_incremental_unassign(rd_kafka_t *, const rd_kafka_topic_partition_list_t *);
int rd_kafka_pause_partitions(rd_kafka_t *, rd_kafka_topic_partition_list_t *);
int rd_kafka_resume_partitions(rd_kafka_t *, rd_kafka_topic_partition_list_t *);
int rd_kafka_commit(rd_kafka_t *, const rd_kafka_topic_partition_list_t *, int);
int rd_kafka_committed(rd_kafka_t *, rd_kafka_topic_partition_list_t *, int);
int rd_kafka_offsets_for_times(rd_kafka_t *, rd_kafka_topic_partition_list_t *, int);
int rd_kafka_query_watermark_offsets(rd_kafka_t *, const char *, int32_t, int64_t *, int64_t *, int);
int rd_kafka_consumer_close(rd_kafka_t *);

#endif
