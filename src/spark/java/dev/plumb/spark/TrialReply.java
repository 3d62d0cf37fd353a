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
 * @param refusal why the job cannot be trained; null if it can
 */
record TrialReply(String executor, String deviceName, String device, String numerics, byte[] results, String refusal)
    implements Serializable {}
