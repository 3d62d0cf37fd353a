package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.backend.cpu.engine.Score;
import dev.plumb.backend.cpu.engine.StepScalars;
import dev.plumb.backend.cpu.engine.TurnRight;
import dev.plumb.model.Loss;

/** What one thread needs for itself while it takes steps, made once: scratch space, and what is told and heard of a step. */
final class Tools {
  final Activations functions = new Activations();
  final Losses losses;
  final FiniteCheck finiteCheck = new FiniteCheck();
  final StepScalars scalars = new StepScalars();
  final Score score = new Score();
  /** What weights go with in the forward pass, and gradients in the backward pass; null for networks computed by rows. */
  final TurnRight<double[]> right;
  /** What deltas come from, beside gradients in one turn; null likewise. */
  final TurnRight<double[]> rightOfInputs;
  final int[] words = new int[DropoutMask.WORDS];

  /** @param gemm what multiplies matrices; null for networks that are computed by rows */
  Tools(Loss loss, Gemm<double[]> gemm) {
    losses = new Losses(loss, functions);
    right = gemm == null ? null : new TurnRight<>(gemm);
    rightOfInputs = gemm == null ? null : new TurnRight<>(gemm);
  }

  /** To be called before a team is given work that multiplies. */
  static void beginTurn(Tools[] all) {
    for (Tools own : all) {
      own.right.beginTurn();
      own.rightOfInputs.beginTurn();
    }
  }

  long bytes() {
    return right == null ? 0 : right.matrix().bytes() + rightOfInputs.matrix().bytes();
  }
}
