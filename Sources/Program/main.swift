import ChimeraCommand

ChimeraProgram.run()
