package dev.plumb.train;

/**
 * The metrics of one epoch. A figure that does not exist is NaN, such as the validation loss without validation rows.
 *
 * @param epoch number of the epoch, from 1
 * @param trainLoss mean loss of the training rows, each computed in its own step, before that step's update
 * @param validationLoss mean loss of the validation rows after the epoch's last update
 * @param metric accuracy or R² of the validation rows
 * @param learningRate learning rate of the epoch's last step
 * @param seconds duration of the epoch
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
