package dev.plumb.study;

import dev.plumb.data.BatchOrder;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainerState;

/** The initial weights of each trial, and its stream of batches, by the study's {@link SeedPolicy}. */
final class TrialStarts {
  private final Study study;
  /** Null for a table. */
  private final StudyData.Notebook notebook;
  /** For {@link SeedPolicy#SHARED}, the streams before the initial weights of each trial; otherwise null. */
  private final NumpyRandom.State[] shared;

  TrialStarts(Study study) {
    this.study = study;
    notebook = study.data() instanceof StudyData.Notebook data ? data : null;
    shared = study.seedPolicy() == SeedPolicy.SHARED ? new NumpyRandom.State[study.trials()] : null;
    for (int seed = 0; shared != null && seed < study.seeds(); seed++) {
      NumpyRandom stream = stream(study.seed() + seed);
      for (Study.Cell cell : study.cells()) {
        shared[study.firstTrial(cell) + seed] = stream.state();
        boolean last = cell.index() == study.cells().size() - 1;
        if (!last) {
          cell.initializer().draw(cell.network(), stream);
          new BatchOrder(study.data().rows(), study.training().batchSize(), study.trainer().shuffle(), stream)
              .skip(study.training().epochs());
        }
      }
    }
  }

  private NumpyRandom stream(long seed) {
    NumpyRandom stream = new NumpyRandom(seed);
    notebook.skip(stream);
    return stream;
  }

  TrainerState start(int trial) {
    if (study.data() instanceof StudyData.Table table) {
      return PreparedData.of(table.view(), table.config(study.cellOf(trial), study.seedOf(trial))).start();
    }
    NumpyRandom stream = shared == null ? stream(study.seedOf(trial)) : NumpyRandom.of(shared[trial]);
    Study.Cell cell = study.cellOf(trial);
    double[] parameters = cell.initializer().draw(cell.network(), stream);
    return TrainerState.begin(study.trainer(), cell.learningRate(), parameters, stream);
  }
}
