/**
 * Training on tables. API: {@link dev.plumb.train.TrainConfig} and its JSON form, {@link dev.plumb.train.TrainListener}, {@link
 * dev.plumb.train.EpochMetrics}, {@link dev.plumb.train.Predictor}, {@link dev.plumb.train.Predictions}, {@link
 * dev.plumb.train.Metric} and {@link dev.plumb.train.Scores} with the types that they return. The other classes serve the
 * command line and studies (the training loop {@link dev.plumb.train.Trainer}, a run and its folder {@link
 * dev.plumb.train.TrainingRun}), and may change without notice.
 */
package dev.plumb.train;
