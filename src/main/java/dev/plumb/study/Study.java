package dev.plumb.study;

import dev.plumb.data.BatchOrder;
import dev.plumb.data.NotebookData;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.Schedule;
import dev.plumb.model.TrainingSpec;
import dev.plumb.train.TrainerSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Many trainings of networks in cells, each cell from several seeds, all on the same data. One network trained once is a trial.
 * Trials are numbered cell by cell, and within a cell by seed.
 *
 * @param trainer the specification that all cells share; a cell has its own learning rate, and dropout the seed of the trial
 * @param seed the seed of the data and of the first trial of each cell
 * @param seeds trials of each cell, at least 1, unless the limit has fewer
 * @param seedLimit the cells that are trained from fewer seeds
 * @param lossAtEpochs the epochs, from 1, whose loss is reported in addition to the final one
 * @param curveEpochs the epochs at which losses are kept, those to report among them
 * @param isDetailed true to keep gradient norms at these epochs, and to measure updates and inactive units at the end
 */
public record Study(String name, TrainerSpec trainer, StudyData data, SeedPolicy seedPolicy, long seed, int seeds, SeedLimit seedLimit,
    List<Cell> cells, List<Integer> lossAtEpochs, List<Integer> curveEpochs, boolean isDetailed) {
  /** Maximum number of trials: larger studies are almost certainly typos. */
  private static final int MAX_TRIALS = 1_000_000;

  private static final int SPREAD_CURVE_POINTS = 16;

  /**
   * Networks that differ only in their seed.
   *
   * @param index from 0 in the study's order
   */
  public record Cell(int index, String name, NetworkSpec network, Initializer initializer, double learningRate) {}

  /**
   * A limit for cells that are too expensive to train from all seeds; they are trained from the first ones.
   *
   * @param fromCell index of the first cell to which it applies; it applies to all cells after it too
   * @param maxSeeds maximum number of seeds of these cells, at least 1
   */
  public record SeedLimit(int fromCell, int maxSeeds) {
    static final SeedLimit NONE = new SeedLimit(Integer.MAX_VALUE, Integer.MAX_VALUE);
  }

  public Study {
    cells = List.copyOf(cells);
    lossAtEpochs = List.copyOf(lossAtEpochs);
    curveEpochs = List.copyOf(curveEpochs);
    if (seeds < 1) {
      throw new InvalidInputException("seeds " + seeds + " must be at least 1");
    }
    int unlimited = Math.min(cells.size(), seedLimit.fromCell());
    requireCount((double) unlimited * seeds + (double) (cells.size() - unlimited) * Math.min(seeds, seedLimit.maxSeeds()));
    StudySpec.requireSeed(seed);
    StudySpec.requireSeed(seed + seeds - 1);
    TrainingSpec training = trainer.training();
    for (Cell cell : cells) {
      training.precision().requireInRange("learningRate", cell.learningRate());
    }
    if (training.dropout().isPresent()) {
      trainer = trainer.withTraining(training.withDropout(new Dropout(training.dropout().get().probability(), seed)));
    }
  }

  /**
   * Returns the study of the networks that a specification lists, as in the notebook.
   *
   * @param furtherEpochs further epochs whose loss is kept; they change no other number
   */
  public static Study ofList(StudySpec spec, int seeds, List<Integer> furtherEpochs) {
    List<Integer> curve = Stream.concat(spec.lossAtEpochs().stream(), furtherEpochs.stream()).distinct().sorted().toList();
    return of(spec, SeedPolicy.SHARED, seeds, listed(spec), curve, false);
  }

  /**
   * Returns the study of a grid.
   *
   * @param listsNetworks whether the spec's networks are cells too, before those of the grid
   */
  static Study ofGrid(StudySpec spec, boolean listsNetworks, Grid grid) {
    requireCount(grid.cellCount() * grid.seeds());
    List<Cell> cells = listsNetworks ? listed(spec) : new ArrayList<>();
    cells.addAll(grid.cells(cells.size(), NotebookData.FEATURES, 1));
    return of(spec, SeedPolicy.OWN, grid.seeds(), cells, curve(spec.lossAtEpochs(), spec.training().epochs()), true);
  }

  /** Returns the study of the networks that a specification lists, each with a stream of its own, as in a grid. */
  public static Study ofNetworks(StudySpec spec, int seeds) {
    return of(spec, SeedPolicy.OWN, seeds, listed(spec), curve(spec.lossAtEpochs(), spec.training().epochs()), true);
  }

  /** Returns a study on a table; see {@link TableStudySpec#study}. */
  static Study ofTable(String name, StudyData.Table data, TrainerSpec trainer, long seed, int seeds, List<Cell> cells) {
    return new Study(name, trainer, data, SeedPolicy.OWN, seed, seeds, SeedLimit.NONE, cells, List.of(),
        curve(List.of(), trainer.training().epochs()), false);
  }

  private static Study of(StudySpec spec, SeedPolicy policy, int seeds, List<Cell> cells, List<Integer> curve, boolean detailed) {
    TrainerSpec trainer = new TrainerSpec(spec.training(), Schedule.Constant.DEFAULT, 0, spec.shuffle(), 0);
    return new Study(spec.name(), trainer, new StudyData.Notebook(spec.samples()), policy, spec.seed(), seeds, SeedLimit.NONE, cells,
        spec.lossAtEpochs(), curve, detailed);
  }

  private static List<Cell> listed(StudySpec spec) {
    List<Cell> cells = new ArrayList<>();
    for (StudyNetwork network : spec.networks()) {
      cells.add(new Cell(cells.size(), network.name(), network.network(), spec.initializer(), spec.training().learningRate()));
    }
    return cells;
  }

  private static void requireCount(double trials) {
    if (trials > MAX_TRIALS) {
      throw new InvalidInputException(String.format(Locale.ROOT, "the study has %,.0f networks, but at most %,d are trained"
          + " in one study; use fewer seeds or values, or several studies", trials, MAX_TRIALS));
    }
  }

  private static List<Integer> curve(List<Integer> lossAtEpochs, int epochs) {
    TreeSet<Integer> curve = new TreeSet<>(lossAtEpochs);
    for (int i = 1; i <= SPREAD_CURVE_POINTS; i++) {
      curve.add(Math.max(1, (int) ((long) epochs * i / SPREAD_CURVE_POINTS)));
    }
    for (int epoch = 1; epoch < epochs / SPREAD_CURVE_POINTS; epoch *= 3) {
      curve.add(epoch);
    }
    curve.add(1);
    return List.copyOf(curve);
  }

  public Study withSeeds(int other) {
    return new Study(name, trainer, data, seedPolicy, seed, other, seedLimit, cells, lossAtEpochs, curveEpochs, isDetailed);
  }

  public Study withSeed(long other) {
    return new Study(name, trainer, data, seedPolicy, other, seeds, seedLimit, cells, lossAtEpochs, curveEpochs, isDetailed);
  }

  public Study withPrecision(Precision precision) {
    return new Study(name, trainer.withTraining(training().withPrecision(precision)), data, seedPolicy, seed, seeds, seedLimit,
        cells, lossAtEpochs, curveEpochs, isDetailed);
  }

  /** Returns this study with further cells, which are numbered after the others and trained from all seeds up to the limit. */
  Study withCells(List<Cell> further, SeedLimit limit) {
    return new Study(name, trainer, data, seedPolicy, seed, seeds, limit, Stream.concat(cells.stream(), further.stream()).toList(),
        lossAtEpochs, curveEpochs, isDetailed);
  }

  /** Returns the study of the first cells, whose trials have the same numbers. */
  Study withFirstCells(int count) {
    return new Study(name, trainer, data, seedPolicy, seed, seeds, seedLimit, cells.subList(0, count), lossAtEpochs, curveEpochs,
        isDetailed);
  }

  /** Returns the value of a property that all cells share, or the number of its values: {@code 3 learning rates}. */
  public String describe(String property, Function<Cell, Object> value) {
    List<Object> values = cells.stream().map(value).distinct().toList();
    return values.size() > 1 ? values.size() + " " + property + "s"
        : values.get(0) instanceof NamedEnum named ? named.key() : values.get(0).toString();
  }

  /** Returns the table of the study; empty for the notebook's data. */
  public Optional<StudyData.Table> table() {
    return data instanceof StudyData.Table table ? Optional.of(table) : Optional.empty();
  }

  /** Returns whether the study only lists networks, without the figures of a grid or the scores of a table. */
  public boolean isList() {
    return !isDetailed && table().isEmpty();
  }

  public TrainingSpec training() {
    return trainer.training();
  }

  /** Returns the number of trials. */
  public int trials() {
    return firstTrial(cells.size());
  }

  /** Returns the number of the cell's trials. */
  public int seedsOf(Cell cell) {
    return cell.index() < seedLimit.fromCell() ? seeds : limitedSeeds();
  }

  private int limitedSeeds() {
    return Math.min(seeds, seedLimit.maxSeeds());
  }

  /** Returns the trial of the cell's first seed. */
  public int firstTrial(Cell cell) {
    return firstTrial(cell.index());
  }

  private int firstTrial(int cell) {
    int unlimited = Math.min(cell, seedLimit.fromCell());
    return unlimited * seeds + (cell - unlimited) * limitedSeeds();
  }

  /** Returns the cell of a trial. */
  public Cell cellOf(int trial) {
    int unlimited = Math.min(cells.size(), seedLimit.fromCell());
    int others = trial - unlimited * seeds;
    return cells.get(others < 0 ? trial / seeds : unlimited + others / limitedSeeds());
  }

  /** Returns the seed of a trial. */
  public long seedOf(int trial) {
    return seed + trial - firstTrial(cellOf(trial));
  }

  public int stepsPerEpoch() {
    return new BatchOrder(data.rows(), training().batchSize(), false, null).stepsPerEpoch();
  }
}
