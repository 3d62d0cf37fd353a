package dev.plumb.backend;

/**
 * What a network is worth on some rows.
 *
 * @param loss per replica, the mean over all the rows
 * @param hits per replica, predictions that are right: rows whose largest logit is their class's (cross_entropy), or outputs on
 *     the target's side of one half (binary_cross_entropy); of no length for a regression
 */
public record Evaluation(double[] loss, long[] hits) {}
