/* The kernels for x86-64-v2: SSE4.2, no fused multiply-add. The bodies are written once and
 * compiled here for its vectors. */
#include "core/kernels/vec_v2.h"

#include "core/kernels/families.h"
#include "core/kernels/gemm_body.h"
#include "core/kernels/math_body.h"
#include "core/kernels/random_body.h"
#include "core/kernels/simple_body.h"
#include "core/kernels/sparse_body.h"
#include "core/kernels/update_body.h"

const struct ock_kernels ock_kernels_v2 = {
    .family = VEC_FAMILY,
    .fused = VEC_FUSED,
    .panel_columns = PANEL,
    .scratch_floats = SCRATCH_FLOATS,
    .packed_floats = kernel_packed_floats,
    .pack = kernel_pack,
    .product = kernel_product,
    .sparse_product = kernel_sparse_product,
    .sparse_gradient = kernel_sparse_gradient,
    .sum_rows = kernel_sum_rows,
    .add = kernel_add,
    .multiply = kernel_multiply,
    .exp = kernel_exp,
    .log1p = kernel_log1p,
    .activate = kernel_activate,
    .activate_back = kernel_activate_back,
    .dropout_mask = kernel_dropout_mask,
    .update = kernel_update,
    .sum_squares = kernel_sum_squares,
};
