// Package kafka is the project's one way to Kafka: librdkafka, through
// confluent-kafka-go for administration and consumer groups, and through a thin
// batch layer over the same linked library where every event passes.
//
// The batch layer exists because one call from Go to C per record costs more
// than librdkafka's own work: Producer hands over thousands of records in one
// call and hears of their delivery per batch; Consumer receives as many and lets
// them be read in place, in librdkafka's memory, until the batch is released.
// A producer with a transactional.id can make what it writes one atomic step.
// Configuration is librdkafka's: any property it knows can be given.
package kafka
