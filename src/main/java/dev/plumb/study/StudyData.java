package dev.plumb.study;

import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.data.Task;
import dev.plumb.random.NumpyRandom;
import dev.plumb.train.DataView;
import dev.plumb.train.Manifest;
import dev.plumb.train.Metric;
import dev.plumb.train.ScoreTable;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The rows that all trials of a study train on. */
public sealed interface StudyData {
  /** Returns the number of training rows. */
  int rows();

  /** Returns the training rows of a study with a base seed. */
  Dataset training(long seed);

  /** Returns the validation rows, which are evaluated after every epoch. */
  Optional<Dataset> validation();

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
    public Optional<Dataset> validation() {
      return Optional.empty();
    }

    /** Advances a trial's stream by the numbers that the data takes from it. */
    void skip(NumpyRandom stream) {
      NotebookData.skip(rows, stream);
    }
  }

  /**
   * A table. Every trial is the training of {@code plumb train} with the configuration of its cell and its seed; all have the same
   * split.
   *
   * @param file the path of the table, as given
   * @param labels the path of the labels of an IDX file, as given
   * @param config the configuration that all cells share, with a seed for the split
   */
  record Table(String file, Optional<String> labels, DataView view, TrainConfig config) implements StudyData {
    /** Names of the first scores of a trial; the values of the metrics follow. */
    private static final List<String> FIRST_SCORES = List.of("epochs", "best_epoch", "training_loss");
    /** How many of the first scores are whole numbers. */
    static final int COUNTS = 2;

    @Override
    public int rows() {
      return view.training().rows();
    }

    @Override
    public Dataset training(long seed) {
      return view.training();
    }

    @Override
    public Optional<Dataset> validation() {
      return view.validation();
    }

    /** Returns the configuration of one trial. */
    public TrainConfig config(Study.Cell cell, long seed) {
      List<Integer> widths = cell.network().widths();
      return config.with(changes -> changes.hidden(widths.subList(1, widths.size() - 1)).activation(cell.network().activation())
          .normalization(cell.network().normalization()).residual(cell.network().residual())
          .initializer(cell.initializer()).learningRate(cell.learningRate()).seed(seed));
    }

    /** Returns the command that trains one trial alone, to the same bits on the same device. */
    public String command(Study.Cell cell, long seed) {
      return "plumb train " + Manifest.shellQuoted(file) + labels.map(path -> " --labels " + Manifest.shellQuoted(path)).orElse("")
          + " --config " + Manifest.shellQuoted(TrainConfigJson.difference(config(cell, seed)));
    }

    /** Returns the metrics of the judged rows that are computed for each trial, the loss first. */
    public List<Metric> metrics() {
      Task task = view.encoding().task();
      return Stream.of(Metric.values()).filter(metric -> metric.appliesTo(task)).toList();
    }

    /** Returns the names of the scores of a trial, in the order of {@link TrialRow#scores}. */
    public List<String> scoreNames() {
      return Stream.concat(FIRST_SCORES.stream(), metrics().stream().map(Metric::key)).toList();
    }

    /** Returns the index of a metric's value in {@link TrialRow#scores}. */
    public int indexOf(Metric metric) {
      return FIRST_SCORES.size() + metrics().indexOf(metric);
    }

    /** Returns the metric by which trials are compared: the watched one, or accuracy or R² if the loss is watched. */
    public Metric mainMetric() {
      Metric watch = config.trainer().watch();
      return watch != Metric.LOSS ? watch : Metric.main(view.encoding().task());
    }

    /** Returns the name and the unit of the loss: "cross entropy in nats". */
    public String lossName() {
      return ScoreTable.loss(config, view.encoding().target());
    }

    /** Returns the name of the rows that trials are judged by: "validation", or "training" if no rows are held out. */
    public String judgedRows() {
      return view.validation().isPresent() ? "validation" : "training";
    }
  }
}
