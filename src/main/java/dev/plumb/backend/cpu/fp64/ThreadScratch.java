package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.LossAccumulator;
import dev.plumb.backend.cpu.engine.StepScalars;
import dev.plumb.model.Loss;

/** Objects that one thread needs to run steps, allocated once: scratch memory, scalar arguments, and the loss of a step. */
final class ThreadScratch {
  final Activations functions = new Activations();
  final Losses losses;
  final FiniteCheck finiteCheck = new FiniteCheck();
  final StepScalars scalars = new StepScalars();
  final LossAccumulator lossSum = new LossAccumulator();
  final MomentKernel moments = VectorizationProvider.get().moments();
  final LayerNormalizer.Scratch layerNormalizer = new LayerNormalizer.Scratch();
  final int[] words = new int[DropoutMask.WORDS];

  ThreadScratch(Loss loss) {
    losses = new Losses(loss, functions);
  }
}
