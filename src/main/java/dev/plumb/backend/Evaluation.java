package dev.plumb.backend;

/**
 * Loss and number of correct predictions on some rows.
 *
 * @param loss [replicas] mean over all rows, weighted if they have weights
 * @param correct [replicas] number of correct predictions: rows whose largest logit is that of their class (cross_entropy), or
 *     outputs on the same side of one half as their target (binary_cross_entropy); of length 0 for a regression
 */
public record Evaluation(double[] loss, long[] correct) {}
