package dev.plumb.study;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The digests of results, by which two results of one group are compared: a task may be run again, or twice at the same time. Under the
 * same numerics both must have the same bits. Any number of threads may use it.
 */
public final class ResultLedger {
  private record Entry(String executor, String digest) {}

  private final Map<String, Entry> entries = new HashMap<>();

  /**
   * Adds the digest of a result.
   *
   * @param group the job and its group
   * @param numerics text of the numerics of the result
   * @param executor where it was computed, for the message
   * @param digest from {@link TrialWorker.Results}
   * @return a message if another result of the group under the same numerics has another digest
   */
  public synchronized Optional<String> add(String group, String numerics, String executor, String digest) {
    Entry entry = new Entry(executor, digest);
    // A digest, because the text of a group may be long.
    Entry first = entries.putIfAbsent(TrialWorker.sha256((group + "\n" + numerics).getBytes(StandardCharsets.UTF_8)), entry);
    return first == null || first.digest().equals(entry.digest()) ? Optional.empty()
        : Optional.of("the results of a group differ between " + first.executor() + " and " + executor + " although their numerics are the"
            + " same; the first one received is kept, but the memory or a processor of one of them may be faulty");
  }
}
