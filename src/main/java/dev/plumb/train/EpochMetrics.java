package dev.plumb.train;

/**
 * What one epoch of a training came to. NaN stands for what there is not: a validation loss without validation rows, say.
 *
 * @param epoch from 1
 * @param trainLoss the mean over the epoch's rows, each row's loss as its own step found it before the update
 * @param validationLoss over the validation rows after the epoch's last update
 * @param metric accuracy or R², of the validation rows; without them the accuracy or R² is not known
 * @param learningRate of the epoch's last step
 * @param seconds the epoch took
 * @param gradientNorms per layer, the Frobenius norm of dW in the epoch's last step
 */
public record EpochMetrics(
    int epoch,
    double trainLoss,
    double validationLoss,
    double metric,
    double learningRate,
    double seconds,
    double[] gradientNorms) {}
