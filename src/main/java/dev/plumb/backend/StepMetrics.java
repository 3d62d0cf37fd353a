package dev.plumb.backend;

/**
 * What was recorded between two calls of {@link TrainingSession#sync}. Steps are numbered from 0 since the beginning of
 * training, as {@link TrainingSession#stepsTaken()} counts them.
 *
 * @param steps the numbers of the recorded steps, rising
 * @param loss [recorded step][replica], over the step's batch and before its update
 * @param gradientNorms [recorded step][replica][layer], the Frobenius norm of dW only, before clipping; [recorded step][replica][0]
 *     where the chunk asked for the step's loss only
 * @param firstNonFinite per replica the first step, recorded or not, whose loss or gradient was not finite since the parameters
 *     were written; -1 when there was none
 */
public record StepMetrics(long[] steps, double[][] loss, double[][][] gradientNorms, long[] firstNonFinite) {}
