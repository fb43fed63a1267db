/** The BroadcastChannel on which threads tell of fsyncs. */
export const fsyncChannel = 'porchlight-fsync'
/** What was synced: a file or directory of recordings, or the index at a commit. */
export type Synced = 'file' | 'index'
