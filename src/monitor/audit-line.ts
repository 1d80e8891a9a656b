// Parses a line of the audit log.
import type { AuditRecord } from './audit.ts';

export function parseRecord(line: string): AuditRecord | undefined {
  try {
    const value = JSON.parse(line) as Partial<AuditRecord> | null;
    const texts = [value?.timestamp, value?.level, value?.action, value?.title, value?.description];
    return texts.every((text) => typeof text === 'string') ? (value as AuditRecord) : undefined;
  } catch {
    return undefined;
  }
}
