package dev.plumb.spark;

import java.io.Serializable;
import org.apache.spark.TaskContext;

/** Calls in the tasks of an executor, for tests, which let them fail. */
@FunctionalInterface
interface TaskHook extends Serializable {
  TaskHook NONE = task -> {};

  /** Called before a group is trained. */
  void begin(TaskContext task);

  /** Returns the digest of the results that the task sends. */
  default String digest(TaskContext task, String digest) {
    return digest;
  }

  /** Called after the digest was sent. */
  default void end(TaskContext task) {}
}
