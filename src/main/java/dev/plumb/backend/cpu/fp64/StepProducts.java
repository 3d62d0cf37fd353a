package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.BareProducts.Product;
import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.ProductSet;
import dev.plumb.backend.cpu.engine.Team;
import dev.plumb.backend.cpu.engine.Tiles;
import dev.plumb.backend.cpu.engine.TurnRight;
import dev.plumb.model.Keyed;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What a {@link MatrixNetwork} multiplies in a step, and nothing else of it: matrices of the same sizes at the same places, in use
 * again and again as a step uses them, without activations, losses and updates.
 */
@SuppressWarnings("cast")
public final class StepProducts implements ProductSet {
  private enum Kind implements Keyed {
    FORWARD,
    WEIGHTS,
    INPUTS
  }

  /** A product of layer l, its rows dealt out in tiles. */
  private record Call(Kind kind, int l, int rows, Tiles tiles, Product product) {}

  private final NetworkSpec network;
  private final int batch;
  private final Gemm<double[]> gemm;
  private final DenseProducts dense;
  private final TurnRight<double[]> whole;
  private final double[] parameters;
  private final double[] gradients;
  private final double[] x;
  private final double[][] a;
  private final double[][] d;
  private final List<List<TurnRight<double[]>>> rights = new ArrayList<>();
  private final List<Call> calls = new ArrayList<>();
  /** The calls whose tiles are dealt out together. */
  private final List<List<Call>> turns = new ArrayList<>();

  public StepProducts(NetworkSpec network, int batch, Gemm<double[]> gemm) {
    this.network = network;
    this.batch = batch;
    ParameterLayout layout = ParameterLayout.of(network);
    dense = new DenseProducts(network, layout);
    this.gemm = gemm;
    whole = new TurnRight<>(gemm);
    SplittableRandom stream = new SplittableRandom(1);
    parameters = new double[layout.size()];
    gradients = new double[layout.size()];
    x = new double[MatrixActivity.matrixSize(network.inputs(), batch)];
    fill(x, 1, stream);
    int layers = network.layerCount();
    a = new double[layers][];
    d = new double[layers][];
    for (int l = 0; l < layers; l++) {
      a[l] = new double[MatrixActivity.matrixSize(network.layer(l).out(), batch)];
      d[l] = new double[a[l].length];
    }
    // Of a size that lets values neither grow nor die away over the layers.
    fill(parameters, (double) Math.sqrt(3.0 / network.widths().stream().mapToInt(Integer::intValue).max().orElseThrow()), stream);
    fill(d[layers - 1], 1, stream);
    makeCalls(layers);
  }

  private static void fill(double[] values, double bound, SplittableRandom stream) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (double) (bound * (2 * stream.nextDouble() - 1));
    }
  }

  /** The turns are those of {@link MatrixNetwork}: gradients of a layer go with the deltas of the layer two below. */
  private void makeCalls(int layers) {
    for (int l = 0; l < layers; l++) {
      turns.add(List.of(call(Kind.FORWARD, l)));
    }
    if (layers > 1) {
      turns.add(List.of(call(Kind.INPUTS, layers - 1)));
    }
    for (int l = layers - 1; l >= 0; l--) {
      Call weights = call(Kind.WEIGHTS, l);
      turns.add(l > 1 ? List.of(weights, call(Kind.INPUTS, l - 1)) : List.of(weights));
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
  public void runStepInTiles(Team team) {
    turns.forEach(turn -> run(turn, team));
  }

  @Override
  public void runInTiles(Product product, Team team) {
    run(List.of(calls.get(product.index())), team);
  }

  private void run(List<Call> turn, Team team) {
    int ofFirst = turn.get(0).tiles().count();
    int all = turn.stream().mapToInt(call -> call.tiles().count()).sum();
    List<List<TurnRight<double[]>>> ofMembers = rights(team.size());
    ofMembers.forEach(own -> own.forEach(TurnRight::beginTurn));
    team.run(all, (task, member) -> {
      int which = task < ofFirst ? 0 : 1;
      Call call = turn.get(which);
      int tile = task - which * ofFirst;
      multiply(call, ofMembers.get(member).get(which), call.tiles().from(tile), call.tiles().from(tile + 1));
    });
  }

  /** Two for each thread: no turn has more products. */
  private List<List<TurnRight<double[]>>> rights(int members) {
    while (rights.size() < members) {
      rights.add(List.of(new TurnRight<>(gemm), new TurnRight<>(gemm)));
    }
    return rights;
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
    whole.beginTurn();
    multiply(call, whole, 0, call.rows());
  }

  private void multiply(Call call, TurnRight<double[]> right, int from, int to) {
    int l = call.l();
    if (right.isFirstOfTurn()) {
      switch (call.kind()) {
        case FORWARD -> dense.takeForward(right.matrix(), l, batch, l == 0 ? x : a[l - 1], 0);
        case WEIGHTS -> dense.takeWeights(right.matrix(), l, batch, l == 0 ? x : a[l - 1], 0);
        case INPUTS -> dense.takeInputs(right.matrix(), l, batch, d[l]);
      }
    }
    switch (call.kind()) {
      case FORWARD -> dense.forward(right.matrix(), l, from, to, batch, parameters, a[l]);
      case WEIGHTS -> dense.weights(right.matrix(), l, from, to, batch, d[l], gradients);
      case INPUTS -> dense.inputs(right.matrix(), l, from, to, batch, parameters, d[l - 1]);
    }
  }
}
