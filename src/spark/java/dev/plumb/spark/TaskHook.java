package dev.plumb.spark;

import java.io.Serializable;
import org.apache.spark.TaskContext;

/** A call at the beginning of each task, in the executor; for tests, which let tasks fail. */
interface TaskHook extends Serializable {
  void begin(TaskContext task);
}
