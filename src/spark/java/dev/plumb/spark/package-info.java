/**
 * Plumb on Apache Spark: studies, cross-validations and searches whose networks the executors of a cluster train. A jar of its own,
 * {@code plumb-spark.jar}: the rest of Plumb does not know Spark.
 */
package dev.plumb.spark;
