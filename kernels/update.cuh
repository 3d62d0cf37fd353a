// The optimizers' updates of one parameter, by PyTorch's formulas (torch.optim.SGD, Adam, AdamW, RMSprop). Each takes the clipped
// gradient, updates the parameter's moments m and v, and returns the new parameter.
#pragma once
#include "common.cuh"

// The order of dev.plumb.model.OptimizerSpec.Kind.
enum Optimizer { SGD, ADAM, ADAMW, RMSPROP };

// PyTorch's clip_grad_norm_ adds it to the norm before dividing by the norm.
__device__ const double CLIP_EPSILON = 1e-6;

// The clipping factor, from the sum of all squared gradients; clip_norm 0 means no clipping. NaN stays NaN.
__device__ __forceinline__ double clip_scale(double clip_norm, double squares) {
    double scale = clip_norm > 0 ? clip_norm / (sqrt(squares) + CLIP_EPSILON) : 1;
    return scale > 1 ? 1 : scale;
}

template <typename T>
__device__ __forceinline__ T clipped(T gradient, double scale) {
    return scale == 1 ? gradient : gradient * T(scale);
}

// m = momentum*m + g; p -= lr*m, or lr*(g + momentum*m) with Nesterov's look ahead. m may be null without momentum.
template <typename T>
__device__ __forceinline__ T sgd_step(
    T parameter, T gradient, T* m, T learning_rate, double momentum, int nesterov, double weight_decay) {
    gradient += T(weight_decay) * parameter;
    T direction = gradient;
    if (m) {
        T moment = T(momentum) * *m + gradient;
        *m = moment;
        direction = nesterov ? gradient + T(momentum) * moment : moment;
    }
    return parameter - learning_rate * direction;
}

// The values of Adam's formula that are the same for all parameters of a step.
template <typename T>
struct AdamStep {
    T rate1;   // lr / correction1
    T root2;   // sqrt(correction2)
    T shrink;  // factor of the parameter itself, if weight decay is decoupled

    __device__ AdamStep() : rate1(T(0)), root2(T(0)), shrink(T(0)) {}

    __device__ AdamStep(const Step& step, double learning_rate, double weight_decay)
        : rate1(T(learning_rate / step.correction1)), root2(T(sqrt(step.correction2))), shrink(T(1 - learning_rate * weight_decay)) {}
};

// m = beta1*m + (1-beta1)*g; v = beta2*v + (1-beta2)*g^2; p -= lr/correction1 * m / (sqrt(v)/sqrt(correction2) + epsilon).
// Weight decay goes into g, or shrinks p itself where it is decoupled (adamw).
template <typename T>
__device__ __forceinline__ T adam_step(
    T parameter, T gradient, T* m, T* v, const AdamStep<T>& step, double beta1, double beta2, double epsilon, double weight_decay,
    int decoupled) {
    if (decoupled) {
        parameter *= step.shrink;
    } else {
        gradient += T(weight_decay) * parameter;
    }
    T moment1 = T(beta1) * *m + T(1 - beta1) * gradient;
    T moment2 = T(beta2) * *v + T(1 - beta2) * gradient * gradient;
    *m = moment1;
    *v = moment2;
    return parameter - step.rate1 * moment1 / (sqrt(moment2) / step.root2 + T(epsilon));
}

// v = alpha*v + (1-alpha)*g^2; p -= lr*g / (sqrt(v) + epsilon).
template <typename T>
__device__ __forceinline__ T rmsprop_step(
    T parameter, T gradient, T* v, T learning_rate, double alpha, double epsilon, double weight_decay) {
    gradient += T(weight_decay) * parameter;
    T moment2 = T(alpha) * *v + T(1 - alpha) * gradient * gradient;
    *v = moment2;
    return parameter - learning_rate * gradient / (sqrt(moment2) + T(epsilon));
}
