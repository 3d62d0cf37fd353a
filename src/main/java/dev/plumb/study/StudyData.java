package dev.plumb.study;

import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.random.NumpyRandom;
import java.util.Optional;

/** The rows that all trials of a study train on. */
public interface StudyData {
  /** Returns the number of training rows. */
  int rows();

  /** Returns the training rows of a study with a base seed. */
  Dataset training(long seed);

  /** Returns the validation rows, which are evaluated after every epoch. */
  default Optional<Dataset> validation() {
    return Optional.empty();
  }

  /** Advances a trial's stream by the numbers that the data takes from it. */
  void skip(NumpyRandom stream);

  /**
   * The notebook's data, drawn from the stream of the base seed. Every trial's stream begins with as many numbers.
   *
   * @param rows number of rows
   */
  record Notebook(int rows) implements StudyData {
    @Override
    public Dataset training(long seed) {
      return NotebookData.draw(rows, new NumpyRandom(seed));
    }

    @Override
    public void skip(NumpyRandom stream) {
      NotebookData.skip(rows, stream);
    }
  }
}
