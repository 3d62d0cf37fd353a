package dev.plumb.backend.cuda;

/** Carries an obstacle out of the steps that load CUDA. */
final class ObstacleException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Obstacle obstacle;

  ObstacleException(Obstacle obstacle) {
    super(obstacle.reason());
    this.obstacle = obstacle;
  }

  Obstacle obstacle() {
    return obstacle;
  }
}
