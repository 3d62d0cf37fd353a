package dev.plumb.spark;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.broadcast.Broadcast;
import scala.collection.Iterator;
import scala.runtime.AbstractFunction1;

/** The work of a task: trains one group, or only checks that the job can be trained. */
final class TrialRequest extends AbstractFunction1<Iterator<String>, TrialReply> implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Takes the place of a group in the check of a job. */
  static final String CHECK = "check";

  /** JSON of the job, which also identifies it. */
  final String job;
  /** The files of the job's table, in order. */
  final Broadcast<List<byte[][]>> files;
  final DeviceRequest device;
  /** Text of the numerics that the results must have; null if any will do. */
  final String expectedNumerics;
  final TaskHook hook;

  TrialRequest(String job, Broadcast<List<byte[][]>> files, DeviceRequest device, String expectedNumerics, TaskHook hook) {
    this.job = job;
    this.files = files;
    this.device = device;
    this.expectedNumerics = expectedNumerics;
    this.hook = hook;
  }

  TrialRequest expecting(String numerics) {
    return new TrialRequest(job, files, device, numerics, hook);
  }

  @Override
  public TrialReply apply(Iterator<String> groups) {
    return WorkerProcess.run(this, groups.next(), TaskContext.get());
  }
}
