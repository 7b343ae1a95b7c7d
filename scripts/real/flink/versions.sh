# Versions of everything that install.sh fetches.
FLINK_VERSION=1.20.3
KAFKA_CONNECTOR=3.2.0-1.19         # the newest for 1.x on Maven Central
ELASTICSEARCH_CONNECTOR=3.0.1-1.17 # the newest for 1.x on Maven Central
SETUPTOOLS_VERSION=80.9.0
WHEEL_VERSION=0.45.1
