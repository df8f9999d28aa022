/* Polynomials and bounds of the elementwise functions, shared by the reference and the vectors.
 *
 * Each polynomial is the minimax one of its degree for the relative error of the whole function,
 * found by Remez' exchange algorithm in 50 decimal digits and rounded to float coefficient by
 * coefficient (lowest power first here). The error in the comment is that of the unrounded one. */
#ifndef OCK_KERNELS_MATH_CONSTANTS_H
#define OCK_KERNELS_MATH_CONSTANTS_H

/* ln 2 in two parts: the first has 16 bits, so that its product with an exponent is exact. */
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW  0x1.7f7d1cp-20f
#define LOG2_E   0x1.715476p+0f

/* Adding and subtracting it rounds a small number to the nearest integer, which then stands in the
 * low bits of the sum. */
#define ROUND_MAGIC 0x1.8p+23f

/* exp is 0 below and infinite above: the logarithms of the smallest normal and largest float. */
#define EXP_MIN -0x1.5d589ep+6f
#define EXP_MAX 0x1.62e42ep+6f

/* exp(r) = 1 + r + r^2 q(r), |r| <= ln(2)/2: 3.1e-9 */
enum { EXP_DEGREE = 4 };
static const float exp_q[EXP_DEGREE + 1] = {0x1.fffffcp-2f, 0x1.555490p-3f, 0x1.5558f4p-5f,
                                            0x1.123a6cp-7f, 0x1.6a2350p-10f};

/* log(1 + f) = f - f^2/2 + f^3 q(f), -0.25 <= f <= 0.5: 4.9e-9 */
enum { LOG1P_DEGREE = 7 };
static const float log1p_q[LOG1P_DEGREE + 1] = {0x1.5555a4p-2f,  -0x1.000040p-2f, 0x1.9969b0p-3f,
                                                -0x1.54efdcp-3f, 0x1.28847cp-3f,  -0x1.0d8a90p-3f,
                                                0x1.ac90cap-4f,  -0x1.7140ccp-5f};

/* tanh(x) = x + x s q(s), s = x^2 <= 0.4: 5.0e-9. Beyond TANH_SMALL by exp. */
#define TANH_SMALL 0.625f
enum { TANH_DEGREE = 4 };
static const float tanh_q[TANH_DEGREE + 1] = {-0x1.55552ep-2f, 0x1.110646p-3f, -0x1.b81dc2p-5f,
                                              0x1.5157fep-6f, -0x1.722b08p-8f};

/* The normal distribution's upper tail: exp(-a^2/2) t q(t), t = 1/(1 + 0.4 a), 1 <= a <= 13.3:
 * 4.6e-9. At TAIL_MAX the exponential is 0 already. */
#define TAIL_MAX       14.0f
#define TAIL_SLOPE     0.4f
#define NORMAL_PEAK    0x1.988454p-2f /* 1/sqrt(2 pi) */
#define TAIL_HEAD_BITS 0xfffff000u    /* keeps 12 bits of a: their square is exact */
enum { TAIL_DEGREE = 8 };
static const float tail_q[TAIL_DEGREE + 1] = {0x1.46d11cp-3f,  0x1.46c082p-3f, 0x1.12d266p-3f,
                                              0x1.56daccp-4f,  0x1.d31da0p-8f, 0x1.7e13d6p-6f,
                                              -0x1.9ab234p-3f, 0x1.83e41ep-3f, -0x1.ce82f6p-5f};

/* Its integral near zero: 1/2 + x q(s), s = x^2 <= 1: 7.1e-10. */
#define CENTER_MAX 1.0f
enum { CENTER_DEGREE = 5 };
static const float center_q[CENTER_DEGREE + 1] = {0x1.988454p-2f,  -0x1.105832p-4f,
                                                  0x1.46ce4cp-7f,  -0x1.36fd42p-10f,
                                                  0x1.dbff16p-14f, -0x1.00d526p-17f};

#define LEAKY_SLOPE 0.01f

#endif
