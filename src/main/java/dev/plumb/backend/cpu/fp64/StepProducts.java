package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.ProductProbes.Product;
import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.ProductSet;
import dev.plumb.backend.cpu.engine.TaskInterleaving;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.backend.cpu.engine.Tiles;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NamedEnum;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Only the matrix products of a step of {@link MatrixNetwork}, without activations, loss and updates. Matrices have the same
 * sizes and are reused in the same way.
 */
@SuppressWarnings("cast")
public final class StepProducts implements ProductSet {
  private enum Kind implements NamedEnum {
    FORWARD,
    WEIGHTS,
    INPUTS
  }

  /** A product of layer l, with the tiles of its rows. */
  private record Call(Kind kind, int l, int rows, Tiles tiles, Product product) {}

  private final NetworkSpec network;
  private final int batch;
  private final ParameterLayout layout;
  private final Gemm<double[]> gemm;
  private final DenseProducts dense;
  /** Right operands of the products of one phase, of which there are at most two. */
  private final List<Gemm.RightOperand<double[]>> operands;
  private final double[] parameters;
  private final double[] gradients;
  private final double[] x;
  private final double[][] a;
  private final double[][] d;
  private final List<Call> calls = new ArrayList<>();
  /** The phases of a step: calls whose tiles are computed at the same time. */
  private final List<List<Call>> phases = new ArrayList<>();

  public StepProducts(NetworkSpec network, int batch, Gemm<double[]> gemm) {
    this.network = network;
    this.batch = batch;
    layout = ParameterLayout.of(network);
    dense = new DenseProducts(network, layout);
    this.gemm = gemm;
    operands = List.of(gemm.newRightOperand(), gemm.newRightOperand());
    SplittableRandom stream = new SplittableRandom(1);
    parameters = new double[layout.size()];
    gradients = new double[layout.size()];
    x = new double[MatrixForwardPass.matrixSize(network.inputs(), batch)];
    fill(x, 1, stream);
    int layers = network.layerCount();
    a = new double[layers][];
    d = new double[layers][];
    for (int l = 0; l < layers; l++) {
      a[l] = new double[MatrixForwardPass.matrixSize(network.layer(l).out(), batch)];
      d[l] = new double[a[l].length];
    }
    // Scaled so that values neither grow nor vanish over the layers.
    fill(parameters, (double) Math.sqrt(3.0 / network.widths().stream().mapToInt(Integer::intValue).max().orElseThrow()), stream);
    fill(d[layers - 1], 1, stream);
    makeCalls(layers);
  }

  private static void fill(double[] values, double bound, SplittableRandom stream) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (double) (bound * (2 * stream.nextDouble() - 1));
    }
  }

  /**
   * Makes the calls, in the phases of {@link MatrixNetwork}: the weight gradients of layer l together with the input gradients of
   * layer l - 1, finally the weight gradients of the two lowest layers together.
   */
  private void makeCalls(int layers) {
    for (int l = 0; l < layers; l++) {
      phases.add(List.of(call(Kind.FORWARD, l)));
    }
    if (layers > 1) {
      phases.add(List.of(call(Kind.INPUTS, layers - 1)));
    }
    for (int l = layers - 1; l > 0; l--) {
      phases.add(List.of(call(Kind.WEIGHTS, l), l > 1 ? call(Kind.INPUTS, l - 1) : call(Kind.WEIGHTS, 0)));
    }
    if (layers == 1) {
      phases.add(List.of(call(Kind.WEIGHTS, 0)));
    }
  }

  private Call call(Kind kind, int l) {
    LayerSpec layer = network.layer(l);
    String name = kind.key() + " " + l;
    int index = calls.size();
    Call call = switch (kind) {
      case FORWARD -> new Call(kind, l, layer.out(), Tiles.of(layer.out(), gemm.packsOnce()),
          new Product(index, name, layer.out(), batch, layer.in()));
      case WEIGHTS -> new Call(kind, l, layer.out(), Tiles.of(layer.out(), gemm.packsOnce()),
          new Product(index, name, layer.out(), layer.in(), batch));
      case INPUTS -> new Call(kind, l, layer.in(), Tiles.ofTransposed(layer.in(), gemm.packsOnce()),
          new Product(index, name, layer.in(), batch, layer.out()));
    };
    calls.add(call);
    return call;
  }

  @Override
  public List<Product> products() {
    return calls.stream().map(Call::product).toList();
  }

  @Override
  public void runStepInTiles(ThreadTeam team) {
    phases.forEach(phase -> run(phase, team));
  }

  @Override
  public void runInTiles(Product product, ThreadTeam team) {
    run(List.of(calls.get(product.index())), team);
  }

  private void run(List<Call> phase, ThreadTeam team) {
    for (int i = 0; i < phase.size(); i++) {
      Call call = phase.get(i);
      Gemm.RightOperand<double[]> right = operands.get(i);
      int rows = setOperand(call, right);
      if (gemm.packsOnce()) {
        int atOnce = Gemm.RightOperand.PACKED_AT_ONCE;
        team.run((rows + atOnce - 1) / atOnce, (task, member) ->
            right.pack(task * atOnce, Math.min(rows, (task + 1) * atOnce)));
      }
    }
    int firsts = phase.get(0).tiles().count();
    int seconds = phase.size() == 1 ? 0 : phase.get(1).tiles().count();
    team.run(firsts + seconds, (task, member) -> {
      int before = TaskInterleaving.firstKindBefore(task, firsts, seconds);
      boolean first = TaskInterleaving.isOfFirstKind(task, firsts, seconds);
      multiply(phase.get(first ? 0 : 1), operands.get(first ? 0 : 1), first ? before : task - before);
    });
  }

  @Override
  public void runStepWhole() {
    calls.forEach(this::multiplyWhole);
  }

  @Override
  public void runWhole(Product product) {
    multiplyWhole(calls.get(product.index()));
  }

  private void multiplyWhole(Call call) {
    Gemm.RightOperand<double[]> right = operands.get(0);
    right.pack(0, setOperand(call, right));
    multiply(call, right, 0, call.rows());
  }

  /** Sets the right operand of a call, and returns the number of rows to pack. */
  private int setOperand(Call call, Gemm.RightOperand<double[]> right) {
    int l = call.l();
    switch (call.kind()) {
      case FORWARD -> dense.setForward(right, l, batch, l == 0 ? x : a[l - 1], 0);
      case WEIGHTS -> dense.setWeightGradients(right, l, batch, l == 0 ? x : a[l - 1], 0);
      case INPUTS -> dense.setInputGradients(right, l, batch, d[l]);
    }
    return call.kind() == Kind.INPUTS ? network.layer(l).out() : l == 0 ? batch : network.layer(l).in();
  }

  private void multiply(Call call, Gemm.RightOperand<double[]> right, int tile) {
    multiply(call, right, call.tiles().from(tile), call.tiles().from(tile + 1));
  }

  private void multiply(Call call, Gemm.RightOperand<double[]> right, int from, int to) {
    int l = call.l();
    switch (call.kind()) {
      case FORWARD -> dense.forward(right, l, from, to, batch, parameters, a[l]);
      case WEIGHTS -> dense.weightGradients(
          right, l, from, to, batch, d[l], gradients, layout.weight(l).offset() + from * network.layer(l).in());
      case INPUTS -> dense.inputGradients(right, l, from, to, batch, parameters, d[l - 1]);
    }
  }
}
