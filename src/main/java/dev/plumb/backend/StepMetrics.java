package dev.plumb.backend;

/**
 * The metrics that were recorded between two calls of {@link TrainingSession#sync}. Steps are numbered from 0 since the beginning
 * of training, like {@link TrainingSession#stepsTaken()}.
 *
 * @param steps [recorded steps] step numbers, ascending
 * @param loss [recorded steps][replicas] loss over the step's batch, weighted if its rows have weights, before the update
 * @param gradientNorms [recorded steps][replicas][layers] Frobenius norm of dW, before clipping; [recorded steps][replicas][0]
 *     for steps of which only the loss is recorded
 * @param firstNonFinite [replicas] the first step since the parameters were written, recorded or not, whose loss or gradient was
 *     not finite; -1 when there was none
 */
public record StepMetrics(long[] steps, double[][] loss, double[][][] gradientNorms, long[] firstNonFinite) {}
