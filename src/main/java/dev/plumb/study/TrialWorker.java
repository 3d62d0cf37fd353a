package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.Numerics;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.BooleanSupplier;

/**
 * A job in a process that trains groups for another one, which has the same job; see {@link TrialJob#open}. Any number of threads
 * may train groups at the same time.
 */
public interface TrialWorker {
  /**
   * The results of a group.
   *
   * @param bytes for {@link TrialExecutor.GroupTrainer#received}
   * @param digest SHA-256 of the results without their times: equal for equal bits
   */
  record Results(byte[] bytes, String digest) {
    static Results of(byte[] bytes, byte[] withoutTimes) {
      return new Results(bytes, sha256(withoutTimes));
    }
  }

  /** Returns the SHA-256 of some bytes, in 64 hexadecimal digits. */
  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Returns the numbers of a group's text, which are separated by blanks. */
  static int[] numbers(String group) {
    return Arrays.stream(group.split(" ")).mapToInt(Integer::parseInt).toArray();
  }

  /** Returns the numerics of all trainings of the job on the backend that the job was opened with. */
  Numerics numerics();

  /**
   * Trains a group.
   *
   * @param group from {@link TrialExecutor.GroupTrainer#text}
   * @param backend of the kind of the backend that the job was opened with
   * @param stopped returns true to stop
   * @throws java.util.concurrent.CancellationException when the training has been stopped
   */
  Results train(String group, Backend backend, BooleanSupplier stopped);
}
