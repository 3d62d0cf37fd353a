package dev.plumb.study;

import dev.plumb.data.BatchOrder;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/**
 * A study of many networks in cells, each cell trained from several seeds on the same data. Networks are numbered cell by cell,
 * and within a cell by seed.
 *
 * <p>The network of seed s in any cell draws from a stream of its own, {@code RandomState(s)}: first the data, which is thrown
 * away (all networks train on the data of the study's seed), then its weights, then its batch orders. So the networks of a cell
 * do not depend on other cells: they are those of a study with that one network and as many seeds. Networks of one seed start
 * from the same numbers in all cells, so that comparisons between cells are paired.
 *
 * @param spec the configuration that all cells share; its networks are not used
 * @param seeds networks of each cell, at least 1
 * @param curveEpochs the epochs, from 1, at which losses and gradient norms are kept: those of the spec, the first, the last, and
 *     some between
 */
public record GridStudy(StudySpec spec, List<Cell> cells, int seeds, List<Integer> curveEpochs) {
  /** Maximum number of networks: larger grids are almost certainly typos. */
  private static final int MAX_NETWORKS = 1_000_000;

  private static final int SPREAD_CURVE_POINTS = 16;

  /**
   * Networks that differ only in their seed.
   *
   * @param index from 0 in the study's order
   */
  public record Cell(int index, String name, NetworkSpec network, Initializer initializer, double learningRate) {}

  public GridStudy {
    cells = List.copyOf(cells);
    curveEpochs = List.copyOf(curveEpochs);
    requireCount((double) cells.size() * seeds);
    if (seeds < 1) {
      throw new InvalidInputException("seeds " + seeds + " must be at least 1");
    }
    StudySpec.requireSeed(spec.seed() + seeds - 1);
    for (Cell cell : cells) {
      spec.training().precision().requireInRange("learningRate", cell.learningRate());
    }
  }

  /**
   * Returns the study of a grid.
   *
   * @param listsNetworks whether the spec's networks are cells too, before those of the grid
   */
  static GridStudy of(StudySpec spec, boolean listsNetworks, Grid grid) {
    requireCount(grid.cellCount() * grid.seeds());
    List<Cell> cells = listsNetworks ? listed(spec) : new ArrayList<>();
    cells.addAll(grid.cells(cells.size()));
    return new GridStudy(spec, cells, grid.seeds(), curve(spec));
  }

  /** Returns the spec's networks as cells. */
  public static GridStudy ofNetworks(StudySpec spec, int seeds) {
    return new GridStudy(spec, listed(spec), seeds, curve(spec));
  }

  private static List<Cell> listed(StudySpec spec) {
    List<Cell> cells = new ArrayList<>();
    for (StudyNetwork network : spec.networks()) {
      cells.add(new Cell(cells.size(), network.name(), network.network(), spec.initializer(), spec.training().learningRate()));
    }
    return cells;
  }

  private static void requireCount(double networks) {
    if (networks > MAX_NETWORKS) {
      throw new InvalidInputException(String.format(Locale.ROOT, "the grid has %,.0f networks, but at most %,d are trained"
          + " in one study; use fewer seeds or values, or several studies", networks, MAX_NETWORKS));
    }
  }

  private static List<Integer> curve(StudySpec spec) {
    int epochs = spec.training().epochs();
    TreeSet<Integer> curve = new TreeSet<>(spec.lossAtEpochs());
    for (int i = 1; i <= SPREAD_CURVE_POINTS; i++) {
      curve.add(Math.max(1, (int) ((long) epochs * i / SPREAD_CURVE_POINTS)));
    }
    for (int epoch = 1; epoch < epochs / SPREAD_CURVE_POINTS; epoch *= 3) {
      curve.add(epoch);
    }
    curve.add(1);
    return List.copyOf(curve);
  }

  public GridStudy withSeeds(int other) {
    return new GridStudy(spec, cells, other, curveEpochs);
  }

  public GridStudy withSeed(long seed) {
    return new GridStudy(spec.withSeed(seed), cells, seeds, curveEpochs);
  }

  public GridStudy withPrecision(Precision precision) {
    return new GridStudy(spec.withPrecision(precision), cells, seeds, curveEpochs);
  }

  public int networks() {
    return cells.size() * seeds;
  }

  public Cell cellOf(int network) {
    return cells.get(network / seeds);
  }

  public long seedOf(int network) {
    return spec.seed() + network % seeds;
  }

  public long stepsPerEpoch() {
    return new BatchOrder(spec.samples(), spec.training().batchSize(), false, null).stepsPerEpoch();
  }
}
