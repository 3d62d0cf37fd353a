package dev.plumb.study;

import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The second part of the {@linkplain DepthStudy depth study}: the notebook's two very deep networks with each {@link Cure}, and
 * networks of several depths with some of them. All are trained on the same data, from the same seeds, with the same learning rate
 * and epochs as the notebook's. A network that the notebook has too is not trained twice.
 */
public final class DepthCures {
  /** The number of hidden layers of the notebook's very deep networks. */
  public static final int DEPTH = 8;

  /** Numbers of hidden layers, in ascending order. */
  public static final List<Integer> DEPTHS = List.of(2, 4, 8, 16, 32);

  /** Sigmoid, of which the notebook says that it does not learn, then relu. */
  public static final List<Activation> ACTIVATIONS = List.of(Activation.SIGMOID, Activation.RELU);

  /** The other depths have 47 cells, many of them deeper than the notebook's networks. */
  static final int MAX_SEEDS = 100;

  private static final int INPUTS = 3;
  private static final int WIDTH = 8;

  private final StudyResult result;
  private final CellFigures figures;

  /** @param result of the depth study, complete */
  public DepthCures(StudyResult result) {
    this.result = result;
    figures = new CellFigures(result);
  }

  /** Adds the networks to the study of the notebook's. */
  static Study addTo(Study notebook) {
    double learningRate = notebook.training().learningRate();
    List<Study.Cell> cells = new ArrayList<>(notebook.cells());
    for (Activation activation : ACTIVATIONS) {
      Arrays.stream(Cure.values()).forEach(cure -> add(cells, activation, cure, DEPTH, learningRate));
    }
    int fromCell = cells.size();
    for (Activation activation : ACTIVATIONS) {
      for (Cure cure : swept(activation)) {
        DEPTHS.forEach(depth -> add(cells, activation, cure, depth, learningRate));
      }
    }
    return notebook.withCells(cells.subList(notebook.cells().size(), cells.size()), new Study.SeedLimit(fromCell, MAX_SEEDS));
  }

  private static void add(List<Study.Cell> cells, Activation activation, Cure cure, int depth, double learningRate) {
    if (find(cells, activation, cure, depth).isEmpty()) {
      NetworkSpec network = network(activation, cure, depth);
      cells.add(new Study.Cell(cells.size(), network.shape() + " " + activation.key() + ", " + cure.label(), network,
          cure.initializer(activation), learningRate));
    }
  }

  private static NetworkSpec network(Activation activation, Cure cure, int depth) {
    List<Integer> widths = new ArrayList<>(List.of(INPUTS));
    widths.addAll(Collections.nCopies(depth, WIDTH));
    widths.add(1);
    return cure.apply(new NetworkSpec(widths, activation));
  }

  private static Optional<Study.Cell> find(List<Study.Cell> cells, Activation activation, Cure cure, int depth) {
    NetworkSpec network = network(activation, cure, depth);
    return cells.stream().filter(cell -> cell.network().equals(network) && cell.initializer() == cure.initializer(activation))
        .findFirst();
  }

  /** Returns the cures that are trained at every depth, the plain network first. */
  public static List<Cure> swept(Activation activation) {
    return List.of(Cure.PLAIN, Cure.suitedInitializer(activation), Cure.BATCH, Cure.LAYER, Cure.RESIDUAL, Cure.BATCH_RESIDUAL);
  }

  /** Returns the cures whose gradients are drawn: those at every depth, in the same order, then others. */
  public static List<Cure> drawn(Activation activation) {
    return Stream.concat(swept(activation).stream(), Stream.of(Cure.LAYER_RESIDUAL, Cure.ORTHOGONAL)).toList();
  }

  public StudyResult result() {
    return result;
  }

  /**
   * Returns the cell of a network, also if it is one of the notebook's.
   *
   * @param depth a number of hidden layers at which the cure is trained
   */
  public Study.Cell cell(Activation activation, Cure cure, int depth) {
    return find(result.study().cells(), activation, cure, depth).orElseThrow();
  }

  /** Returns the proportion of the seeds whose network has learned: its final loss is below 0.95 of the best constant's loss. */
  public Proportion learned(Study.Cell cell) {
    return figures.learned(cell);
  }

  public Proportion diverged(Study.Cell cell) {
    return figures.diverged(cell);
  }

  /** Returns the proportion of the seeds from which a cell's final loss is below another's; of those that stayed finite in both. */
  public Proportion below(Study.Cell cell, Study.Cell than) {
    return figures.pairs(cell, than, (one, other) -> one.finalLoss() < other.finalLoss());
  }

  /** Returns the factors by which a layer divides the gradient norm in the first step; see {@link TrialRow#fallPerLayer}. */
  public Quartiles firstFall(Study.Cell cell) {
    return quartiles(cell, row -> row.fallPerLayer(0));
  }

  /** Returns the factors by which a layer divides the gradient norm in the last step. */
  public Quartiles lastFall(Study.Cell cell) {
    return quartiles(cell, row -> row.fallPerLayer(lastEpoch()));
  }

  /** Returns the median of the gradient norm of each layer in the first step, output layer included. */
  public double[] firstNorms(Study.Cell cell) {
    return norms(cell, 0);
  }

  /** Returns the median of the gradient norm of each layer in the last step, output layer included. */
  public double[] lastNorms(Study.Cell cell) {
    return norms(cell, lastEpoch());
  }

  private double[] norms(Study.Cell cell, int epoch) {
    return IntStream.range(0, cell.network().layerCount())
        .mapToDouble(layer -> quartiles(cell, row -> row.normAt(epoch, layer)).median()).toArray();
  }

  private int lastEpoch() {
    return result.study().curveEpochs().size() - 1;
  }

  public Quartiles finalLoss(Study.Cell cell) {
    return quartiles(cell, TrialRow::finalLoss);
  }

  private Quartiles quartiles(Study.Cell cell, ToDoubleFunction<TrialRow> figure) {
    return figures.quartiles(cell, figure);
  }

  /** Returns the findings about the cures. */
  public List<Finding> findings() {
    return new CureFindings(this, figures).all();
  }
}
