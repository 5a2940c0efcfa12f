/** Nominal typing: a `Brand<string, 'JobId'>` is made once, at the boundary that validated it. */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
