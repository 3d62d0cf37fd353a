package dev.plumb.backend.cpu.engine;

/** What a step is told besides its rows. One object is used again for every step, so that none is made in a step. */
public final class StepScalars {
  private double learningRate;
  private long number;
  private boolean keepsPreActivations;
  private boolean keepsGradients;

  /**
   * @param number of the step, from 0 since the beginning of training
   * @param keepsPreActivations whether Z must be there after the step, to be tapped, where A alone would do to go on
   * @param keepsGradients whether the weights' gradients must be there after the step, to be read
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

  /** Steps taken before this one. */
  public long stepsBefore() {
    return number;
  }

  /** t of the optimizers' formulas, from 1. */
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
