/** The name of the pod that OpenKruise makes up to validate sidecars with; it shows in messages about ephemeral volumes. */
export const POD_NAME = 'test';
