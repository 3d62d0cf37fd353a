package dev.plumb.train;

/**
 * What one epoch came to. A number that is not there is NaN.
 *
 * @param epoch from 1
 * @param metric on the validation rows: accuracy for classes, R² for numbers
 * @param learningRate of the epoch's last step
 * @param gradientNorms Frobenius norms of dW per layer in the epoch's last step, output layer included
 */
public record EpochRow(
    int epoch,
    double trainLoss,
    double validationLoss,
    double metric,
    double learningRate,
    double seconds,
    double[] gradientNorms) {}
