// The metrics of a step: its loss, the norms of its gradients, the clipping factor, the first step that was not finite. All sums are in
// double, in a fixed order.

#include "update.cuh"

// A part of one tensor of the parameter vector, short enough for one block.
struct Piece {
    long long offset;
    long long length;
};

// Sums of squared gradients, one per piece, into partial [replica][pieces]. Skipped if the step's norms are not recorded and clipping
// does not need them (always is 0). Blocks of SUM_THREADS: x over pieces, y over replicas. Bound by memory: g is read once.
template <typename T>
__device__ void gradient_squares(
    const int* cursor, const Step* steps, const T* g, const Piece* pieces, double* partial, int piece_count, long long stride,
    int replicas, int always) {
    if (!always && !steps[*cursor].norms) {
        return;
    }
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        for (int piece = blockIdx.x; piece < piece_count; piece += gridDim.x) {
            const T* first = g + replica * stride + pieces[piece].offset;
            double sum = 0;
            for (long long i = threadIdx.x; i < pieces[piece].length; i += blockDim.x) {
                sum += (double)first[i] * (double)first[i];
            }
            sum = block_sum(sum);
            if (threadIdx.x == 0) {
                partial[replica * piece_count + piece] = sum;
            }
        }
    }
}
KERNEL(gradient_squares,
       (const int* cursor, const Step* steps, const T* g, const Piece* pieces, double* partial, int piece_count, long long stride,
        int replicas, int always),
       (cursor, steps, g, pieces, partial, piece_count, stride, replicas, always))

// Loss and norms of a replica's step. first_pieces [2*layers + 1]: the first piece of each tensor: W and b of layer 0, of layer 1, and
// so on; small products have one piece per tile. metrics [recorded step][replica][1 + layers]: the loss, then the norm of each layer's
// dW. Every thread of a block of SUM_THREADS must call it; thread 0 gets the sum of all squares if the step's norms are recorded or
// `squares_wanted`.
__device__ __forceinline__ double report_replica(
    long long replica, int replicas, Step step, const double* loss_partial, int loss_blocks, double terms,
    const double* square_partial, const int* first_pieces, int layers, bool squares_wanted, double* losses, double* metrics) {
    int piece_count = first_pieces[2 * layers];
    double* recorded = metrics + ((long long)step.record_at * replicas + replica) * (1 + layers);
    double loss = 0;
    for (int block = threadIdx.x; block < loss_blocks; block += blockDim.x) {
        loss += loss_partial[replica * loss_blocks + block];
    }
    loss = block_sum(loss) / terms;
    if (threadIdx.x == 0) {
        losses[replica] = loss;
        if (step.record_at >= 0) {
            recorded[0] = loss;
        }
    }
    if (!step.norms && !squares_wanted) {
        return 0;
    }
    // A warp per tensor: tensors in turn would each wait for their loads.
    int lane = threadIdx.x % WARP;
    double squares = 0;  // in the first lane of each warp
    for (int tensor = threadIdx.x / WARP; tensor < 2 * layers; tensor += blockDim.x / WARP) {
        double of_tensor = 0;
        for (int piece = first_pieces[tensor] + lane; piece < first_pieces[tensor + 1]; piece += WARP) {
            of_tensor += square_partial[replica * piece_count + piece];
        }
        of_tensor = warp_sum(of_tensor);
        if (lane == 0) {
            squares += of_tensor;
            if (step.norms && tensor % 2 == 0) {
                recorded[1 + tensor / 2] = sqrt(of_tensor);
            }
        }
    }
    return block_sum(squares);
}

// Records the step's number for replicas that are not finite for the first time, and advances the cursor. One block.
__device__ __forceinline__ void close_step(
    int* cursor, const Step* steps, const double* losses, int* not_finite, long long* first_not_finite, int replicas) {
    int entry = *cursor;
    for (int replica = threadIdx.x; replica < replicas; replica += blockDim.x) {
        bool finite = isfinite(losses[replica]) && !not_finite[replica];
        if (!finite && first_not_finite[replica] < 0) {
            first_not_finite[replica] = steps[entry].number;
        }
        not_finite[replica] = 0;
    }
    __syncthreads();  // all have read the cursor
    if (threadIdx.x == 0) {
        *cursor = entry + 1;
    }
}

// Loss, norms and clipping factors of a step, before its update. clip_norm 0 means no clipping. Blocks of SUM_THREADS: x over replicas.
extern "C" __global__ void finish_loss(
    const int* cursor, const Step* steps, const double* loss_partial, int loss_blocks, double terms, const double* square_partial,
    const int* first_pieces, int layers, double clip_norm, double* losses, double* clip_scales, double* metrics, int replicas) {
    Step step = steps[*cursor];
    for (long long replica = blockIdx.x; replica < replicas; replica += gridDim.x) {
        double squares = report_replica(replica, replicas, step, loss_partial, loss_blocks, terms, square_partial, first_pieces,
                                        layers, clip_norm > 0, losses, metrics);
        if (threadIdx.x == 0) {
            clip_scales[replica] = clip_scale(clip_norm, squares);
        }
    }
}

// As finish_loss, for rows with weights: the divisor of the mean loss is in the step table.
extern "C" __global__ void finish_loss_weighted(
    const int* cursor, const Step* steps, const double* loss_partial, int loss_blocks, const double* divisors,
    const double* square_partial, const int* first_pieces, int layers, double clip_norm, double* losses, double* clip_scales,
    double* metrics, int replicas) {
    Step step = steps[*cursor];
    for (long long replica = blockIdx.x; replica < replicas; replica += gridDim.x) {
        double squares = report_replica(replica, replicas, step, loss_partial, loss_blocks,
                                        divisor_of_batch(cursor, divisors, replicas, replica), square_partial, first_pieces, layers,
                                        clip_norm > 0, losses, metrics);
        if (threadIdx.x == 0) {
            clip_scales[replica] = clip_scale(clip_norm, squares);
        }
    }
}

// Ends a step, after its update. One block.
extern "C" __global__ void finish_step(
    int* cursor, const Step* steps, const double* losses, int* not_finite, long long* first_not_finite, int replicas) {
    close_step(cursor, steps, losses, not_finite, first_not_finite, replicas);
}

// finish_loss and finish_step for one replica without clipping, whose update needs no factor. All that close_step reads is loaded first.
__device__ __forceinline__ void finish_replica(
    int* cursor, const Step* steps, const double* loss_partial, int loss_blocks, double terms, const double* square_partial,
    const int* first_pieces, int layers, double* losses, double* metrics, int* not_finite, long long* first_not_finite) {
    int entry = *cursor;
    bool finite = !*not_finite;
    bool first = *first_not_finite < 0;
    Step step = steps[entry];
    report_replica(0, 1, step, loss_partial, loss_blocks, terms, square_partial, first_pieces, layers, false, losses, metrics);
    if (threadIdx.x == 0) {
        // It has written the loss itself, and all have read the cursor before the barriers of the sums.
        if (first && !(finite && isfinite(losses[0]))) {
            *first_not_finite = step.number;
        }
        *not_finite = 0;
        *cursor = entry + 1;
    }
}

// In one launch, after the update. One block of SUM_THREADS.
extern "C" __global__ void finish_loss_and_step(
    int* cursor, const Step* steps, const double* loss_partial, int loss_blocks, double terms, const double* square_partial,
    const int* first_pieces, int layers, double* losses, double* metrics, int* not_finite, long long* first_not_finite) {
    finish_replica(cursor, steps, loss_partial, loss_blocks, terms, square_partial, first_pieces, layers, losses, metrics, not_finite,
                   first_not_finite);
}

// As finish_loss_and_step, for rows with weights.
extern "C" __global__ void finish_loss_and_step_weighted(
    int* cursor, const Step* steps, const double* loss_partial, int loss_blocks, const double* divisors, const double* square_partial,
    const int* first_pieces, int layers, double* losses, double* metrics, int* not_finite, long long* first_not_finite) {
    finish_replica(cursor, steps, loss_partial, loss_blocks, divisor_of_batch(cursor, divisors, 1, 0), square_partial, first_pieces,
                   layers, losses, metrics, not_finite, first_not_finite);
}
