/* The recursions of the search, frame by frame: what `viterbi.py`, `posterior.py` and `cepstra.py`
 * compute with numpy, in the same order of operations, so that the results are the same to the bit.
 *
 * Arrays are contiguous; `pad` cells before the first state stand for no state at all, so that
 * reaching back needs no bounds checks. States of a band at frame t: first[t] <= s < end[t].
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t number;

/* Connections into the states; see `graph.Steps`. Rows of `near` are n_states long. */
typedef struct {
    number n_states, n_near, n_far, n_sources, pad;
    const number *far, *sources;
    const number *far_first, *far_end; /* by frame: those in the band */
} steps;

/* Entries of words that an anchor has times for. */
typedef struct {
    number n_columns;
    const number *column, *state; /* of each: its column of penalties, and its state */
    const number *first, *end;    /* by frame: those in the band */
} entries;

/* Advance a column of scores over the frames start <= t < stop; `scores` and `penalties` begin with
 * the frame `start`. Return 1 where the column is in `now` afterwards, 0 where it is in `was`. */
int viterbi_frames(number block_start, number start, number stop, const number *first,
                   const number *end, const steps *steps, const float *near,
                   const float *far_penalties, const float *scores, number n_columns,
                   const number *unit, const entries *anchored, const float *penalties, float *was,
                   float *now, float *enter, uint8_t *codes, const number *codes_begin)
{
    const number pad = steps->pad, far_code = pad + 1;
    int swapped = 0;
    for (number t = start; t < stop; t++) {
        const number low = first[t], n = end[t] - low;
        const number stale = t >= block_start + 2 ? first[t - 2] : 0;
        const float *score = scores + (t - start) * n_columns, *back_of = near + low;
        const float *from = was + pad + low;
        float *to = now + pad + low;
        uint8_t *code = codes ? codes + codes_begin[t - block_start] : NULL;
        for (number c = stale + pad; c < low + pad; c++) now[c] = -INFINITY;

        for (number i = 0; i < n; i++) enter[i] = from[i - 1] + back_of[i];
        if (code)
            for (number i = 0; i < n; i++) code[i] = 1;
        for (number back = 2; back <= steps->n_near; back++) {
            const float *before = from - back;
            back_of += steps->n_states;
            if (code)
                for (number i = 0; i < n; i++) {
                    const float other = before[i] + back_of[i];
                    code[i] = other > enter[i] ? (uint8_t)back : code[i];
                    enter[i] = other > enter[i] ? other : enter[i];
                }
            else
                for (number i = 0; i < n; i++) {
                    const float other = before[i] + back_of[i];
                    enter[i] = other > enter[i] ? other : enter[i];
                }
        }
        for (number f = steps->far_first[t]; f < steps->far_end[t]; f++) {
            const number at = steps->far[f] - low;
            float came = was[steps->sources[f]];
            uint8_t row = (uint8_t)far_code;
            for (number k = 1; k < steps->n_sources; k++) {
                const float also = was[steps->sources[k * steps->n_far + f]];
                if (also > came) {
                    came = also;
                    row = (uint8_t)(far_code + k);
                }
            }
            enter[at] = came - far_penalties[f];
            if (code) code[at] = row;
        }
        if (penalties) {
            const float *penalty = penalties + (t - start) * anchored->n_columns;
            for (number p = anchored->first[t]; p < anchored->end[t]; p++)
                enter[anchored->state[p] - low] -= penalty[anchored->column[p]];
        }
        if (code)
            for (number i = 0; i < n; i++) code[i] = enter[i] > from[i] ? code[i] : 0;
        for (number i = 0; i < n; i++)
            to[i] = (enter[i] > from[i] ? enter[i] : from[i]) + score[unit[low + i]];
        if (t == 0)
            for (number c = 0; c < pad; c++) was[c] = -INFINITY;
        float *other = was;
        was = now;
        now = other;
        swapped = !swapped;
    }
    return swapped;
}

/* Divide values that are not negative by the greatest; return it, or 1 where all are 0. */
static double scaled(double *values, number n)
{
    double most = 0.0, lane[4] = {0.0, 0.0, 0.0, 0.0}; /* so that maxima need not wait for another */
    for (number i = 0; i < n; i++) lane[i & 3] = values[i] > lane[i & 3] ? values[i] : lane[i & 3];
    for (int i = 0; i < 4; i++) most = lane[i] > most ? lane[i] : most;
    if (most == 0.0) return 1.0;
    for (number i = 0; i < n; i++) values[i] /= most;
    return most;
}

static number cell(number source, number low) { return source > low ? source - low : 0; }

/* Compute alpha of a block of frames into the rows 1 ... n of `rows` (its row 0 is given), what
 * enters each word's first state into `entered`, and the norms of the rows. `low` is the state of
 * cell `pad` of a row; `emission` has `width - pad` columns. */
void forward_frames(number start, number stop, const number *first, const number *end, number low,
                    number width, const steps *steps, const double *near,
                    const double *far_factors, const double *emission, const entries *anchored,
                    const double *factors, const entries *words, number first_word, number n_words,
                    double *rows, double *entered, double *norms)
{
    const number pad = steps->pad;
    for (number t = start; t < stop; t++) {
        const number i = t - start, from = first[t], n = end[t] - from, at = from - low + pad;
        const double *previous = rows + i * width, *back_of = near + from;
        const double *emitted = emission + i * (width - pad) + (from - low);
        double *current = rows + (i + 1) * width + at;
        for (number s = 0; s < n; s++) current[s] = previous[at - 1 + s] * back_of[s];
        for (number back = 2; back <= steps->n_near; back++) {
            const double *before = previous + at - back;
            back_of += steps->n_states;
            for (number s = 0; s < n; s++) current[s] += before[s] * back_of[s];
        }
        for (number f = steps->far_first[t]; f < steps->far_end[t]; f++) {
            double flow = previous[cell(steps->sources[f], low)];
            for (number k = 1; k < steps->n_sources; k++)
                flow += previous[cell(steps->sources[k * steps->n_far + f], low)];
            current[steps->far[f] - from] = flow * far_factors[f];
        }
        if (factors)
            for (number p = anchored->first[t]; p < anchored->end[t]; p++)
                current[anchored->state[p] - from] *= factors[i * anchored->n_columns + p];
        for (number e = words->first[t]; e < words->end[t]; e++)
            entered[i * n_words + e - first_word] = current[words->state[e] - from];
        for (number s = 0; s < n; s++) current[s] = (current[s] + previous[at + s]) * emitted[s];
        norms[i] = scaled(current, n);
    }
}

/* Compute beta before the first frame of a block and after each but the last (row n of `rows` is
 * given), b · beta of each frame, and the norms of the rows. `entering` has room for a row. */
void backward_frames(number start, number stop, const number *first, const number *end, number low,
                     number width, const steps *steps, const double *near,
                     const double *far_factors, const double *emission, const entries *anchored,
                     const double *factors, double *rows, double *beta_emission, double *entering,
                     double *norms)
{
    const number pad = steps->pad;
    for (number t = stop - 1; t >= start; t--) {
        const number i = t - start, from = first[t], n = end[t] - from, at = from - low + pad;
        const double *emitted = emission + i * (width - pad) + (from - low);
        const double *after = rows + (i + 1) * width + at;
        double *both = beta_emission + i * width + at, *now = rows + i * width;
        const double *back_of = near + from;
        for (number s = 0; s < n; s++) both[s] = after[s] * emitted[s];
        if (t == 0) break;
        for (number s = 0; s < n; s++) now[at + s] = entering[s] = both[s];
        if (factors)
            for (number p = anchored->first[t]; p < anchored->end[t]; p++)
                entering[anchored->state[p] - from] *= factors[i * anchored->n_columns + p];
        for (number back = 1; back <= steps->n_near; back++) {
            double *before = now + at - back;
            for (number s = 0; s < n; s++) before[s] += entering[s] * back_of[s];
            back_of += steps->n_states;
        }
        for (number k = 0; k < steps->n_sources; k++)
            for (number f = steps->far_first[t]; f < steps->far_end[t]; f++)
                now[cell(steps->sources[k * steps->n_far + f], low)] +=
                    entering[steps->far[f] - from] * far_factors[f];
        const number earlier = first[t - 1] - low + pad, later = end[t - 1] - low + pad;
        for (number c = 0; c < earlier; c++) now[c] = 0.0;
        for (number c = later > 0 ? later : 0; c < width; c++) now[c] = 0.0;
        norms[i] = scaled(now, width);
    }
}

/* Follow the back-pointers of a block from its last state; return the state before it. */
number trace(number start, number stop, number state, const number *first, const steps *steps,
             const number *place, const uint8_t *codes, const number *codes_begin, number *states)
{
    const number far_code = steps->pad + 1;
    for (number t = stop - 1; t >= start; t--) {
        states[t] = state;
        const number code = codes[codes_begin[t - start] + state - first[t]];
        if (code < far_code)
            state -= code;
        else
            state = steps->sources[(code - far_code) * steps->n_far + place[state]] - steps->pad;
    }
    return state;
}

/* Compute the gains of `cepstra._gains`; `state` has room for 4 rows. */
void noise_gains(number n_frames, number n, const double *power, double *state, double *gain)
{
    const double smooth = 0.7, rise = 0.995, fall = 0.5, decay = 0.85, masked = 0.2, most = 20.0;
    double *running = state, *noise = state + n, *floor = state + 2 * n, *peak = state + 3 * n;
    for (number i = 0; i < n; i++) {
        running[i] = power[i];
        noise[i] = floor[i] = power[i] / most;
        peak[i] = 0.0;
    }
    for (number t = 0; t < n_frames; t++)
        for (number i = 0; i < n; i++) {
            const double now = power[t * n + i];
            running[i] = smooth * running[i] + (1.0 - smooth) * now;
            noise[i] = running[i] >= noise[i] ? rise * noise[i] + (1.0 - rise) * running[i]
                                              : fall * noise[i] + (1.0 - fall) * running[i];
            double signal = running[i] - noise[i];
            signal = signal > 1.0 ? signal : 1.0;
            floor[i] = signal >= floor[i] ? rise * floor[i] + (1.0 - rise) * signal
                                          : fall * floor[i] + (1.0 - fall) * signal;
            const double decayed = peak[i] * decay;
            const double heard = signal < decay * decayed ? decayed * masked : signal;
            peak[i] = signal > decayed ? signal : decayed;
            gain[t * n + i] = (heard > floor[i] ? heard : floor[i]) /
                              (running[i] > 1e-30 ? running[i] : 1e-30);
        }
}
