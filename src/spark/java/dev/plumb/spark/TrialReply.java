package dev.plumb.spark;

import java.io.Serializable;

/**
 * The reply of a task.
 *
 * @param executor id and host, for messages
 * @param deviceName as {@code --device} takes it: cuda:1
 * @param device the device's name, for reports; empty if the job is refused
 * @param numerics text of the numerics of the job there; empty if the job is refused
 * @param results of the group; null for a check, and if the group is refused
 * @param digest of the results; null without them
 * @param refusal why the job cannot be trained; null if it can
 * @param isUnavailable whether the reason is that the device cannot be used
 */
record TrialReply(String executor, String deviceName, String device, String numerics, byte[] results, String digest,
    String refusal, boolean isUnavailable) implements Serializable {
  static TrialReply refused(String executor, String deviceName, String refusal, boolean isUnavailable) {
    return new TrialReply(executor, deviceName, "", "", null, null, refusal, isUnavailable);
  }
}
