/** What a record is found by. */
export interface RecordKey {
  readonly user_id: string;
  readonly document_id: string;
}

/** Whether `a` stands strictly before `b`: by user, then by document, code unit by code unit. */
export function isKeyBefore(a: RecordKey, b: RecordKey): boolean {
  return a.user_id === b.user_id ? a.document_id < b.document_id : a.user_id < b.user_id;
}
