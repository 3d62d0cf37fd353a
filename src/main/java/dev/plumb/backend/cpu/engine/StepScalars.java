package dev.plumb.backend.cpu.engine;

/** The scalar arguments of a step. One object is reused for all steps, so that steps do not allocate. */
public final class StepScalars {
  private double learningRate;
  private long number;
  private boolean keepsPreActivations;
  private boolean keepsGradients;

  /**
   * Sets the arguments of the next step.
   *
   * @param number number of the step, from 0 since the beginning of training
   * @param keepsPreActivations whether Z must be available after the step, to be tapped; otherwise A may overwrite it
   * @param keepsGradients whether the weight gradients must be available after the step, to be read
   */
  public void set(double learningRate, long number, boolean keepsPreActivations, boolean keepsGradients) {
    this.learningRate = learningRate;
    this.number = number;
    this.keepsPreActivations = keepsPreActivations;
    this.keepsGradients = keepsGradients;
  }

  public double learningRate() {
    return learningRate;
  }

  /** Returns the number of steps before this one. */
  public long stepsBefore() {
    return number;
  }

  /** Returns the step number t of the optimizers' formulas, from 1. */
  public long number() {
    return number + 1;
  }

  public boolean keepsPreActivations() {
    return keepsPreActivations;
  }

  public boolean keepsGradients() {
    return keepsGradients;
  }
}
