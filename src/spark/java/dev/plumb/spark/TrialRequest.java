package dev.plumb.spark;

import dev.plumb.study.TrialWorker;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
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

  /** JSON of the job. */
  final String job;
  /** SHA-256 of the job, which identifies it: it contains the hashes of the data. */
  final String jobId;
  /** The files of the job's table, in order. */
  final Broadcast<List<byte[][]>> files;
  final DeviceRequest device;
  /** Text of the numerics that the results must have; null if any will do. */
  final String expectedNumerics;
  final TaskHook hook;

  TrialRequest(String job, Broadcast<List<byte[][]>> files, DeviceRequest device, String expectedNumerics, TaskHook hook) {
    this.job = job;
    jobId = TrialWorker.sha256(job.getBytes(StandardCharsets.UTF_8));
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
