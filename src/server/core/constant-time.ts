// Comparison of MACs and signatures whose duration does not reveal how much of a guess was right.
import { timingSafeEqual } from "node:crypto";

/** Reports whether two texts are equal. The duration reveals only their lengths; that of a digest is no secret. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
