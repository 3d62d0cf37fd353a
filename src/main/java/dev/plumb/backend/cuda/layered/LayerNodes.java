package dev.plumb.backend.cuda.layered;

import dev.plumb.backend.Slot;
import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Launches.Grid;
import dev.plumb.backend.cuda.device.Matrix;
import dev.plumb.backend.cuda.device.Node;
import dev.plumb.backend.cuda.session.SessionState;
import dev.plumb.backend.cuda.session.StepTable.RowList;
import dev.plumb.model.Dropout;
import dev.plumb.model.LayerSpec;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.List;
import java.util.Optional;

/**
 * Launches for the forward and the backward pass of single layers and for the loss, shared by steps and evaluations; shapes are
 * per replica, as in {@code kernels/}. {@link SmallProducts} decides between the kernels of {@code product_kernels.cuh}, which
 * fuse products with the operations after them, and cuBLAS followed by the kernels of {@code activation.cu}, or of
 * {@code normalization.cu} in layers with a normalization or a residual connection.
 */
public final class LayerNodes {
  private static final int OUTPUTS_OF_LOSS_BLOCK = 1024;
  private static final int ROWS_OF_SOFTMAX_BLOCK = 8;
  private static final int MAX_LOSS_BLOCKS = 512;
  /** ROWS of RowsDivision of kernels/product.cu, and of FragmentRows of kernels/product_tf32.cu. */
  private static final int ROWS_OF_PRODUCT_TILE = 16;
  /** COLUMNS of these. */
  static final int COLUMNS_OF_PRODUCT_TILE = 32;
  /** THREADS of these. */
  private static final int THREADS_OF_ROWS_BLOCK = 256;
  /** THREADS of WeightsDivision and FragmentWeights. */
  private static final int THREADS_OF_WEIGHTS_BLOCK = 64;

  private final CudaContext context;
  private final Launches launches;
  private final NetworkSpec network;
  private final Loss loss;
  private final SessionState state;
  private final SmallProducts smallProducts;
  private final CublasProducts products;
  private final ActivationNodes activations;
  private final NormalizationNodes normalizations;
  private final Precision precision;
  private final FactorFormat format;
  private final String suffix;
  /** The suffix of the kernels for small products. */
  private final String productSuffix;
  private final int firstReplica;
  private final int replicas;

  /**
   * @param launches memory of the arguments; must live as long as the nodes
   * @param smallProducts the choice of kernels for products
   * @param firstReplica the first of the computed replicas
   */
  public LayerNodes(CudaContext context, Launches launches, NetworkSpec network, TrainingSpec training, SmallProducts smallProducts,
      SessionState state, int firstReplica, int replicas) {
    this.context = context;
    this.launches = launches;
    this.network = network;
    loss = training.loss();
    precision = training.precision();
    format = FactorFormat.of(precision);
    this.smallProducts = smallProducts;
    this.state = state;
    this.firstReplica = firstReplica;
    this.replicas = replicas;
    products = new CublasProducts(context, precision);
    suffix = precision == Precision.FP64 ? "_f64" : "_f32";
    productSuffix = precision == Precision.TF32 && context.hasTensorCores() ? "_tf32" : suffix;
    activations = new ActivationNodes(context, launches, network, training, state, firstReplica, replicas);
    normalizations = new NormalizationNodes(context, launches, network, training, state, activations, firstReplica, replicas);
  }

  /** Binds a kernel for the precision in which parameters are stored. */
  Node bind(String kernel, String what, Grid grid, Number... arguments) {
    return launches.bind(context.kernel(kernel + suffix), what, grid, arguments);
  }

  /** Binds a kernel for small products. */
  private Node bindProduct(String kernel, String what, Grid grid, Number... arguments) {
    return launches.bind(context.kernel(kernel + productSuffix), what, grid, arguments);
  }

  /** Binds a kernel that is the same in every precision. */
  Node bindPlain(String kernel, String what, Grid grid, Number... arguments) {
    return launches.bind(context.kernel(kernel), what, grid, arguments);
  }

  /**
   * Adds the forward pass of a layer, Z = in·Wᵀ + b and A = f(Z), both [n x out]; z and a may be the same buffer, in bf16 only in
   * the last layer. With cuBLAS and two buffers, z does not include b.
   *
   * @param rows the rows of {@code in}, for small products
   * @param usedBias receives a copy of b [out] for {@link StepRunner#tap}, unless it is null or products are small
   */
  public void forward(List<Node> nodes, int layer, int n, RowList rows, Matrix in, Buffer z, Buffer a, Buffer usedBias) {
    LayerSpec spec = network.layer(layer);
    Matrix weight = weight(layer);
    if (smallProducts.areUsed(n)) {
      boolean packed = in.isPacked(spec.in(), precision) && weight.isPacked(spec.in(), precision);
      nodes.add(bindProduct("product_forward", of(layer), ofRows(n, spec.out()), rows.cursor(), rows.steps(), rows.rows(), in.address(),
          weight.address(), activations.biasAddress(layer), z.address(), a.address(), n, spec.in(), spec.out(), in.stride(), weight.stride(),
          spec.activation().ordinal(), packed ? 1 : 0));
      return;
    }
    nodes.add(product(layer, n, in, z));
    nodes.add(activations.forward(layer, n, z, a, usedBias));
  }

  /**
   * Adds the forward pass of a layer that is not plain, with the parameters of {@link #forward(List, int, int, RowList, Matrix,
   * Buffer, Buffer, Buffer)}.
   *
   * @param segments memory of the statistics of segments of rows; null outside of steps
   */
  public void forward(List<Node> nodes, int layer, int n, RowList rows, Matrix in, LayerBuffers buffers, Buffer segments,
      Optional<Dropout> dropout) {
    nodes.add(product(layer, n, in, buffers.z()));
    normalizations.forward(nodes, layer, n, rows, in, buffers, segments, dropout);
  }

  private Node product(int layer, int n, Matrix in, Buffer z) {
    LayerSpec spec = network.layer(layer);
    int pitch = format.resultPitch(network, layer);
    return products.forward(of(layer), n, spec.in(), spec.out(), in, weight(layer), z.matrix(n, pitch), pitch, replicas);
  }

  /** Adds the forward pass with dropout, A = f(Z) ∘ M; {@code kept} [n x out] receives a byte per element, 0 where M is 0. */
  void forwardDropping(List<Node> nodes, int layer, int n, RowList rows, Matrix in, Buffer z, Buffer a, Buffer usedBias, Buffer kept,
      Dropout dropout) {
    boolean activated = smallProducts.areUsed(n);
    if (activated) {
      forward(nodes, layer, n, rows, in, z, a, null);
    } else {
      nodes.add(product(layer, n, in, z));
    }
    nodes.add(activations.dropping(layer, n, rows, z, a, usedBias, kept, dropout, activated));
  }

  private Matrix weight(int layer) {
    return state.weights(firstReplica, layer);
  }

  /**
   * The addresses from which a kernel reads the weights of rows.
   *
   * @param weights the weights [rows]; 0 for rows without weights
   * @param divisors the divisors of mean losses [entry of the step table][replica]; 0 without derivatives
   */
  public record RowWeights(long weights, long divisors) {
    /** No weights. */
    public static final RowWeights NONE = new RowWeights(0, 0);

    /** Returns whether rows have weights. */
    boolean any() {
      return weights != 0;
    }
  }

  /**
   * Returns the launch of the loss, summed by blocks.
   *
   * @param rows the rows of the targets or labels
   * @param rowWeights the weights of the same rows
   * @param deltaAddress 0 to skip the derivative
   * @param hitsAddress 0 to skip counting correct predictions
   */
  public Node loss(int n, RowList rows, long zAddress, long targetsAddress, RowWeights rowWeights, long deltaAddress,
      long partialsAddress, long hitsAddress) {
    Grid grid = Grid.of(lossBlocks(loss, n, network.outputs()), replicas);
    if (rowWeights.any()) {
      return loss == Loss.CROSS_ENTROPY
          ? bind("softmax_loss_weighted", loss.key(), grid, rows.cursor(), rows.steps(), rows.rows(), zAddress, targetsAddress,
              rowWeights.weights(), rowWeights.divisors(), deltaAddress, partialsAddress, hitsAddress, (long) n, network.outputs(),
              replicas)
          : bind("loss_terms_weighted", loss.key(), grid, rows.cursor(), rows.steps(), rows.rows(), zAddress, targetsAddress,
              rowWeights.weights(), rowWeights.divisors(), deltaAddress, partialsAddress, hitsAddress, (long) n, network.outputs(),
              replicas, loss.ordinal());
    }
    if (loss == Loss.CROSS_ENTROPY) {
      return bind("softmax_loss", loss.key(), grid, rows.cursor(), rows.steps(), rows.rows(), zAddress, targetsAddress, deltaAddress,
          partialsAddress, hitsAddress, (long) n, network.outputs(), terms(n), replicas);
    }
    return bind("loss_terms", loss.key(), grid, rows.cursor(), rows.steps(), rows.rows(), zAddress, targetsAddress, deltaAddress,
        partialsAddress, hitsAddress, (long) n, network.outputs(), terms(n), replicas, loss.ordinal());
  }

  /**
   * Returns the launch of the last layer and of the loss, summed by blocks, for small products.
   *
   * @param rows the rows of the targets or labels
   * @param in [n x in], not of the data
   * @param z receives Z [n x out]
   * @param delta receives dLoss/dZ
   * @see SmallProducts#includeLoss
   */
  Node forwardWithLoss(int n, RowList rows, Matrix in, Buffer z, long targetsAddress, RowWeights rowWeights, Buffer delta,
      long partialsAddress) {
    int layer = network.layerCount() - 1;
    LayerSpec spec = network.layer(layer);
    Matrix weight = weight(layer);
    boolean packed = in.isPacked(spec.in(), precision) && weight.isPacked(spec.in(), precision);
    boolean labels = loss == Loss.CROSS_ENTROPY;
    return bindProduct("product_forward_loss", of(layer) + ", " + loss.key(), ofRows(n, spec.out()), rows.cursor(), rows.steps(),
        rows.rows(), in.address(), weight.address(), activations.biasAddress(layer), z.address(), n, spec.in(), spec.out(),
        weight.stride(), packed ? 1 : 0, loss.ordinal(), labels ? 0L : targetsAddress, labels ? targetsAddress : 0L,
        rowWeights.weights(), rowWeights.divisors(), terms(n), delta.address(), partialsAddress);
  }

  /** Returns the number of partial sums per replica of the loss of a step over n rows. */
  int lossPartials(int n) {
    return smallProducts.includeLoss(n) ? (int) Launches.ceilDiv(n, ROWS_OF_PRODUCT_TILE) : lossBlocks(loss, n, network.outputs());
  }

  /** Returns the largest number of partial sums per replica of the loss of a step over at most n rows. */
  static int maxLossPartials(Loss loss, int n, int outputs) {
    long tiles = Launches.ceilDiv(Math.min(n, SmallProducts.MAX_ROWS), ROWS_OF_PRODUCT_TILE);
    return (int) Math.max(lossBlocks(loss, n, outputs), tiles);
  }

  /** Returns the number of terms in the mean over n rows without weights. */
  public double terms(int n) {
    return loss == Loss.CROSS_ENTROPY ? n : (double) n * network.outputs();
  }

  /** Returns the number of blocks, and so of partial sums per replica, of a loss over n rows. */
  public static int lossBlocks(Loss loss, int n, int outputs) {
    long blocks = loss == Loss.CROSS_ENTROPY
        ? Launches.ceilDiv(n, ROWS_OF_SOFTMAX_BLOCK)
        : Launches.ceilDiv((long) n * outputs, OUTPUTS_OF_LOSS_BLOCK);
    return (int) Math.min(blocks, MAX_LOSS_BLOCKS);
  }

  /**
   * Adds the backward pass of a layer with cuBLAS: from dLoss/dA [n x out] to dLoss/dZ, the weight and bias gradients, and dLoss/dA
   * of the layer below.
   *
   * @param incoming dLoss/dA; the same buffer as delta, except in bf16
   * @param delta receives dLoss/dZ, a factor of products
   * @param kept the mask written by {@link #forwardDropping}, if the layer has dropout
   * @param below receives dLoss/dA of the layer below; null for the first layer
   */
  void backward(List<Node> nodes, int layer, int n, Matrix in, Buffer z, Buffer a, Buffer kept, Optional<Dropout> dropout,
      Buffer incoming, Buffer delta, Buffer below, Buffer segmentSums) {
    activations.backward(nodes, layer, n, z, a, kept, dropout, incoming, delta, segmentSums);
    addGradientProducts(nodes, layer, n, in, delta, below);
  }

  /**
   * Adds the backward pass of a hidden layer of a network that is not plain, with the parameters of {@link #backward(List, int, int,
   * Matrix, Buffer, Buffer, Buffer, Optional, Buffer, Buffer, Buffer, Buffer)}.
   *
   * @param incoming dLoss/dA, in another buffer than delta
   * @param below receives dLoss/dA of the layer below; the same buffer as incoming, or null for the first layer
   * @param segmentSums memory of two sums per segment of rows and unit
   * @param rowSums memory of two sums per row; null without layer normalization
   */
  void backward(List<Node> nodes, int layer, int n, Matrix in, LayerBuffers buffers, Optional<Dropout> dropout, Buffer incoming,
      Buffer delta, Buffer below, Buffer segmentSums, Buffer rowSums) {
    normalizations.backward(nodes, layer, n, buffers, dropout, incoming, delta, segmentSums, rowSums);
    addGradientProducts(nodes, layer, n, in, delta, below);
  }

  /** Adds the weight gradient, and dLoss/dA of the layer below; a residual layer's own dLoss/dA, which is there, is part of that. */
  private void addGradientProducts(List<Node> nodes, int layer, int n, Matrix in, Buffer delta, Buffer below) {
    LayerSpec spec = network.layer(layer);
    Matrix d = delta.matrix(n, format.pitch(spec.out()));
    nodes.add(products.weightGradient(of(layer), n, spec.in(), spec.out(), d, in,
        state.matrix(Slot.GRADIENTS, 0, state.layout().weight(layer)), replicas));
    if (below != null) {
      nodes.add(products.inputGradient(
          of(layer), n, spec.in(), spec.out(), d, weight(layer), below.matrix(n, format.pitch(spec.in())),
          spec.residual(), replicas));
    }
  }

  /**
   * Returns the launch from dLoss/dZ [n x out] of a layer to that of the layer below, for small products.
   *
   * @param z the layer below's Z
   * @param kept the mask written by {@link #forwardDropping}, if the layer below has dropout
   * @param below receives dLoss/dZ of the layer below
   */
  Node smallInputGradient(int layer, int n, Buffer delta, Buffer z, Buffer kept, Optional<Dropout> dropout, Buffer below) {
    LayerSpec spec = network.layer(layer);
    Matrix weight = weight(layer);
    boolean packed = delta.matrix(n, spec.out()).isPacked(spec.out(), precision) && weight.isPacked(spec.in(), precision);
    return bindProduct("product_input_gradient", of(layer), ofRows(n, spec.in()), delta.address(), weight.address(), z.address(),
        dropout.isPresent() ? kept.address() : 0L, below.address(), n, spec.in(), spec.out(), weight.stride(),
        network.layer(layer - 1).activation().ordinal(), dropout.map(ActivationNodes::scale).orElse(1.0), packed ? 1 : 0);
  }

  /**
   * Returns the launch of the weight and bias gradients of all layers and the sums of squares of their tiles, for small products.
   *
   * @param rows the rows of the first layer's input
   * @param tableAddress a {@link ProductTable} on the device
   * @param squaresAddress the sums of squares [tiles]
   * @param always whether to sum squares in every step, and not only in those that record norms
   */
  Node smallWeightGradients(int n, RowList rows, long tableAddress, long squaresAddress, boolean always) {
    int tiles = ProductTable.tiles(network);
    Grid grid = new Grid((long) tiles * replicas, 1, 1, THREADS_OF_WEIGHTS_BLOCK, 1);
    return bindProduct("product_weight_gradients", "all layers", grid, rows.cursor(), rows.steps(), rows.rows(), tableAddress,
        network.layerCount(), tiles, state.address(Slot.GRADIENTS), squaresAddress, n, state.layout().size(), always ? 1 : 0);
  }

  /** Returns a grid with a block per tile of all replicas' results [n x columns]. */
  private Grid ofRows(int n, int columns) {
    long tiles = Launches.ceilDiv(n, ROWS_OF_PRODUCT_TILE) * Launches.ceilDiv(columns, COLUMNS_OF_PRODUCT_TILE);
    return new Grid(tiles * replicas, 1, 1, THREADS_OF_ROWS_BLOCK, 1);
  }

  private String of(int layer) {
    return activations.of(layer);
  }
}
