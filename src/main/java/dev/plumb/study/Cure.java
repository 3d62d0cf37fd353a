package dev.plumb.study;

import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import java.util.Optional;

/**
 * A change of a deep network that may let it learn. Each of the single changes keeps everything else of the plain network, so that
 * a difference is due to the change.
 *
 * <p>The combinations are those that deep networks use. A normalization keeps the sums of every layer where the activation has a
 * slope, and a residual connection leads the gradient past the activation (He et al. 2016). They start from the initializer that
 * was derived for the activation: Glorot and Bengio's for sigmoid, that of He et al. for relu.
 */
public enum Cure {
  /** The notebook's network and initializer. */
  PLAIN("plain", Initializer.NOTEBOOK, Normalization.NONE, false),
  XAVIER_UNIFORM(Initializer.XAVIER_UNIFORM),
  XAVIER_NORMAL(Initializer.XAVIER_NORMAL),
  HE_UNIFORM(Initializer.HE_UNIFORM),
  HE_NORMAL(Initializer.HE_NORMAL),
  PYTORCH(Initializer.PYTORCH),
  ORTHOGONAL(Initializer.ORTHOGONAL),
  BATCH("batch normalization", Initializer.NOTEBOOK, Normalization.BATCH, false),
  LAYER("layer normalization", Initializer.NOTEBOOK, Normalization.LAYER, false),
  RESIDUAL("residual connections", Initializer.NOTEBOOK, Normalization.NONE, true),
  BATCH_RESIDUAL("batch normalization and residual connections", null, Normalization.BATCH, true),
  LAYER_RESIDUAL("layer normalization and residual connections", null, Normalization.LAYER, true);

  private final String label;
  /** Null for the one that suits the activation. */
  private final Initializer initializer;
  private final Normalization normalization;
  private final boolean residual;

  Cure(Initializer initializer) {
    this(initializer.key(), initializer, Normalization.NONE, false);
  }

  Cure(String label, Initializer initializer, Normalization normalization, boolean residual) {
    this.label = label;
    this.initializer = initializer;
    this.normalization = normalization;
    this.residual = residual;
  }

  /** Returns the cure that only changes the initializer, to the one that was derived for the activation. */
  public static Cure suitedInitializer(Activation activation) {
    return activation == Activation.SIGMOID ? XAVIER_NORMAL : HE_NORMAL;
  }

  /** Returns the name in sentences and tables: "batch normalization". */
  public String label() {
    return label;
  }

  /** Returns whether the cure only changes the initializer. */
  public boolean isInitializer() {
    return this != PLAIN && normalization == Normalization.NONE && !residual;
  }

  Initializer initializer(Activation activation) {
    return Optional.ofNullable(initializer).orElseGet(() -> suitedInitializer(activation).initializer);
  }

  /** Returns a plain network with this change. */
  NetworkSpec apply(NetworkSpec plain) {
    return plain.withNormalization(normalization).withResidual(residual);
  }
}
