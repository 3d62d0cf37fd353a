package dev.plumb.cli;

import dev.plumb.model.InvalidInputException;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Checkpoint;
import dev.plumb.train.TrainerState;
import dev.plumb.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The MODEL operand of a command: a run folder or a model file. */
final class ModelOperand {
  private ModelOperand() {}

  /** Returns the model file of the operand. */
  static Path file(Path path) {
    return Files.isDirectory(path) ? RunFolder.open(path).model() : path;
  }

  static TrainedModel read(Path path) {
    if (!Files.isDirectory(path)) {
      return ModelFile.read(path);
    }
    RunFolder folder = RunFolder.open(path);
    if (!Files.exists(folder.model())) {
      TrainerState state = Checkpoint.read(folder.checkpoint()).state();
      if (state.bestEpoch() == 0 && state.end().equals(Optional.of(TrainerState.End.DIVERGED))) {
        throw new InvalidInputException(path
            + ": the run diverged before it had a model; train again with a lower --lr or with --clip-norm 1");
      }
      throw new InvalidInputException(path + ": the run has no model yet; resume it first: plumb train --resume " + path);
    }
    return ModelFile.read(folder.model());
  }
}
