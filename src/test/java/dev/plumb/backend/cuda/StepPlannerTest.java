package dev.plumb.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import org.junit.jupiter.api.Test;

/** The choice between the fused and the layered planner. */
class StepPlannerTest {
  private static final NetworkSpec DEEPEST = NetworkSpec.of(Activation.RELU, 3, 8, 8, 8, 8, 8, 8, 8, 8, 1);
  private static final TrainingSpec SGD =
      TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.01, 1).withPrecision(Precision.FP32);

  /** One block takes more rows by the narrow kernel in the time of the layered planner's launches. */
  @Test
  void narrowNetworksStayFusedForMoreRows() {
    NetworkSpec gelu = new NetworkSpec(DEEPEST.widths(), Activation.GELU);
    assertTrue(StepPlanner.tooManyProducts(DEEPEST, SGD, 6000).isEmpty());
    assertFalse(StepPlanner.tooManyProducts(gelu, SGD, 6000).isEmpty());
    assertFalse(StepPlanner.tooManyProducts(DEEPEST, SGD, 12000).isEmpty());
  }
}
