package dev.plumb.train;

import java.util.Map;

/**
 * The result of a training run that has finished, diverged or been stopped.
 *
 * @param folder the folder with the run's files
 * @param state the state after the last step; its end is empty if the run was stopped and can be resumed
 * @param scores the scores of the best epoch's model by rows: training, validation and test, as far as they exist and their
 *     outputs are finite
 */
public record TrainingResult(
    RunFolder folder, Manifest manifest, PreparedData prepared, TrainerState state, Map<String, Scores> scores) {}
